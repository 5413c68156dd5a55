//! HTTP/1.1 connections that a test opens, keeps and closes itself: no pool decides behind its back.

use std::net::{SocketAddr, ToSocketAddrs as _};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Where the server listens. Always the loopback: what lies between would be measured too.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    host: HeaderValue,
}

impl Target {
    pub(crate) fn new(address: SocketAddr) -> Result<Target> {
        ensure!(
            address.ip().is_loopback(),
            "{address} is not on this machine: run the test where the server is"
        );
        let host = HeaderValue::try_from(address.to_string()).context("an address is a header value")?;
        Ok(Target { address, host })
    }

    /// From `http://HOST[:PORT]`.
    pub(crate) fn from_url(url: &str) -> Result<Target> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is no URL"))?;
        ensure!(uri.scheme_str() == Some("http"), "{url}: only http:// can be measured, without TLS between");
        let host = uri.host().with_context(|| format!("{url} names no host"))?;
        let mut addresses = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80))
            .to_socket_addrs()
            .with_context(|| format!("{host} was not found"))?;
        Target::new(addresses.next().with_context(|| format!("{host} has no address"))?)
    }
}

/// An account's session.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    authorization: HeaderValue,
}

impl Login {
    pub(crate) fn new(token: &str) -> Result<Login> {
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).context("a token is plain text")?;
        authorization.set_sensitive(true);
        Ok(Login { authorization })
    }

    /// The value of the header.
    pub(crate) fn authorization(&self) -> Result<&str> {
        self.authorization.to_str().context("a token is plain text")
    }
}

/// One request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    method: Method,
    uri: Uri,
    login: Option<&'a Login>,
    body: Bytes,
}

impl<'a> Call<'a> {
    pub(crate) fn get(uri: Uri, login: Option<&'a Login>) -> Call<'a> {
        Call { method: Method::GET, uri, login, body: Bytes::new() }
    }

    /// An empty `body` is none at all.
    pub(crate) fn post(uri: Uri, login: Option<&'a Login>, body: impl Into<Bytes>) -> Call<'a> {
        Call { method: Method::POST, uri, login, body: body.into() }
    }

    pub(crate) fn patch(uri: Uri, login: Option<&'a Login>, body: impl Into<Bytes>) -> Call<'a> {
        Call { method: Method::PATCH, uri, login, body: body.into() }
    }

    pub(crate) fn put(uri: Uri, login: Option<&'a Login>, body: impl Into<Bytes>) -> Call<'a> {
        Call { method: Method::PUT, uri, login, body: body.into() }
    }

    pub(crate) fn delete(uri: Uri, login: Option<&'a Login>) -> Call<'a> {
        Call { method: Method::DELETE, uri, login, body: Bytes::new() }
    }

    fn request(self, host: &HeaderValue) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        let has_body = request.body().size_hint().exact() != Some(0);
        let headers = request.headers_mut();
        headers.insert(HOST, host.clone());
        if let Some(login) = self.login {
            headers.insert(AUTHORIZATION, login.authorization.clone());
        }
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request
    }
}

/// A keep-alive connection; closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: HeaderValue,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> Result<Connection> {
        let socket = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("connecting to {}", target.address))?;
        socket.set_nodelay(true).context("setting TCP_NODELAY")?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(socket)).await.context("opening a connection")?;
        // A broken connection shows at its next request.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Connection { sender, host: target.host.clone(), driver })
    }

    /// Sends and reads the whole answer, whatever its status.
    pub(crate) async fn call(&mut self, call: Call<'_>) -> Result<(StatusCode, Bytes)> {
        let response = self.send(call).await?;
        let status = response.status();
        let body = response.into_body().collect().await.context("reading an answer")?.to_bytes();
        Ok((status, body))
    }

    /// A call that must succeed.
    pub(crate) async fn succeed(&mut self, call: Call<'_>) -> Result<Bytes> {
        let (method, uri) = (call.method.clone(), call.uri.clone());
        let (status, body) = self.call(call).await?;
        ensure!(status.is_success(), "{method} {uri}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    async fn send(&mut self, call: Call<'_>) -> Result<Response<Incoming>> {
        self.sender.ready().await.context("the server closed a connection")?;
        self.sender.send_request(call.request(&self.host)).await.context("sending a request")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_on_this_machine_is_a_target() {
        assert_eq!(Target::from_url("http://127.0.0.1:8080").unwrap().address.to_string(), "127.0.0.1:8080");
        assert_eq!(Target::from_url("http://[::1]:81/").unwrap().address.to_string(), "[::1]:81");
        assert_eq!(Target::from_url("http://127.0.0.1").unwrap().address.port(), 80);
    }

    #[test]
    fn other_machines_and_tls_are_refused() {
        assert!(Target::from_url("http://192.0.2.1:8080").is_err());
        assert!(Target::from_url("https://127.0.0.1:8080").is_err());
        assert!(Target::from_url("127.0.0.1:8080").is_err());
    }
}
