//! A real nginx between the browser and the server.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// nginx in front of an upstream; it ends with this value.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) origin: String,
    _home: TempDir,
}

/// What nginx is told beyond `proxy_pass`.
#[derive(Clone, Copy)]
pub(crate) enum Manners {
    /// Nothing: its defaults, which buffer answers unless these ask it not to.
    Default,
    /// To buffer whatever the answers say, as some corporate proxies do.
    BuffersAlways,
}

impl Nginx {
    pub(crate) fn start(upstream: SocketAddr, manners: Manners) -> Self {
        let home = tempfile::Builder::new().prefix("echoverse-nginx").tempdir().expect("a temp dir");
        let port = free_port();
        let extra = match manners {
            Manners::Default => "",
            Manners::BuffersAlways => "proxy_ignore_headers X-Accel-Buffering;",
        };
        let config = format!(
            "daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
             events {{ worker_connections 256; }}
             http {{
                 access_log off;
                 client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
                 fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
                 server {{
                     listen 127.0.0.1:{port};
                     location / {{ proxy_pass http://{upstream}; proxy_set_header Host $http_host; {extra} }}
                 }}
             }}",
            home = home.path().display(),
        );
        let path = home.path().join("nginx.conf");
        fs::write(&path, config).expect("the configuration is written");
        let child = Command::new(program())
            .args(["-e", "stderr", "-c"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts (make test installs it)");
        wait_for(SocketAddr::from(([127, 0, 0, 1], port)));
        Self { child, origin: format!("http://127.0.0.1:{port}"), _home: home }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker follows the master's end.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let usual = Path::new("/usr/sbin/nginx");
    if usual.exists() { usual.to_owned() } else { PathBuf::from("nginx") }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Waits until something listens.
fn wait_for(address: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        assert!(Instant::now() < deadline, "nobody listens on {address}");
        std::thread::yield_now();
    }
}
