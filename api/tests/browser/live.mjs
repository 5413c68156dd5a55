// Drives headless Chromium through one way to the server and says what the page saw, as one line of JSON.
//
// node live.mjs CHROMIUM MODE ORIGIN HANDLE PASSWORD CHANNEL TEXT
// MODE is `sse` (the native EventSource) or `poll`. The page logs in with a cookie, follows, and posts TEXT itself once
// it is connected; it answers {"seen": [contents], "events": [types], "milliseconds": from post to sight}.
import { chromium } from "playwright-core";

const [executablePath, mode, origin, handle, password, channel, text] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage();
  const foreign = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) foreign.push(request.url());
  });
  await page.goto(`${origin}/docs/`);
  const result = await page.evaluate(follow, { mode, handle, password, channel, text });
  console.log(JSON.stringify({ ...result, foreign }));
} finally {
  await browser.close();
}

// Runs in the page.
async function follow({ mode, handle, password, channel, text }) {
  const call = async (path, body) => {
    const response = await fetch(`/v1${path}`, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const session = await call("/sessions", { login: handle, password, cookie: true });
  if (session.token !== null) throw new Error("a cookie session must not show its token");
  const { cursor } = await call("/bootstrap");
  const seen = [];
  const events = [];
  let posted;
  const post = async () => {
    posted = performance.now();
    await call(`/channels/${channel}/messages`, { content: text });
  };
  const done = () => ({ seen, events, milliseconds: performance.now() - posted });
  if (mode === "sse") {
    return new Promise((resolve, reject) => {
      const source = new EventSource(`/v1/events/stream?after=${cursor}`);
      const timer = setTimeout(() => {
        source.close();
        resolve({ seen, events, milliseconds: null });
      }, 8000);
      source.addEventListener("hello", () => {
        events.push("hello");
        post().catch(reject);
      });
      source.addEventListener("heartbeat", () => events.push("heartbeat"));
      source.addEventListener("message.posted", (event) => {
        events.push("message.posted");
        seen.push(JSON.parse(event.data).data.content);
        clearTimeout(timer);
        source.close();
        resolve(done());
      });
    });
  }
  const waiting = call(`/events?after=${cursor}&wait=20`);
  await post();
  let page = await waiting;
  while (!seen.length) {
    for (const frame of page.events) {
      events.push(frame.type);
      if (frame.type === "message.posted") seen.push(frame.data.content);
    }
    if (!seen.length) page = await call(`/events?after=${page.next}&wait=20`);
  }
  return done();
}
