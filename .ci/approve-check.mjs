// Opens the page of approvals in a browser: what opens it, approving and declining
// by keyboard and without script, a phone, accessibility, and an order that only a
// passkey approves, signed by the browser's virtual authenticator.
// Usage: node approve-check.mjs DEBUG_PORT TTAI_MCP_BINARY HOME FOLDER [AXE_FILE]
// The server runs with the folder HOME as its user's; screenshots go to FOLDER.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import assert from "node:assert/strict";
import { browser } from "./browser.mjs";

const [debugPort, binary, home, folder, axeFile] = process.argv.slice(2);
const { open, accessible } = browser(debugPort, folder, axeFile);

// A passkey holds for an origin, so the server has the same port each time.
const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const port = probe.address().port;
probe.close();
await once(probe, "close");
const base = `http://127.0.0.1:${port}`;

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));

// Starts the server, and returns its two secrets and a way to end it.
async function serve() {
  const { XDG_CONFIG_HOME, XDG_DATA_HOME, ...env } = process.env;
  const child = spawn(binary, ["--http", `127.0.0.1:${port}`], { env: { ...env, HOME: home, TTAI_ACCOUNTS: "5WS00001" }, stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  const ended = once(child, "exit");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  let token, key;
  for (let i = 0; i < 150 && !key; i++) {
    await new Promise((done) => setTimeout(done, 200));
    token = said.match(/\/\?token=([\w-]+)/)?.[1];
    key = said.match(/\/approve\/\?key=([\w-]+)/)?.[1];
  }
  assert.ok(token && key, `the server printed no key: ${said}`);
  const end = async () => {
    child.kill("SIGINT");
    await ended;
    running.delete(child);
  };
  return { token, key, end };
}

// A client of the protocol that cannot ask anybody.
async function connect(token) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream" };
  let last = 0;
  const post = async (message) => {
    const answer = await fetch(`${base}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
    assert.ok(answer.ok, `${message.method}: ${answer.status}`);
    headers["mcp-session-id"] ??= answer.headers.get("mcp-session-id");
    const text = await answer.text();
    const lines = text.startsWith("{") ? [text] : text.split("\n").filter((l) => l.startsWith("data: {")).map((l) => l.slice(6));
    return lines.map((l) => JSON.parse(l)).find((m) => m.id === message.id);
  };
  const opened = await post({ id: ++last, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "page-check", version: "0" } } });
  if (!headers["mcp-session-id"]) delete headers["mcp-session-id"];
  headers["mcp-protocol-version"] = opened.result.protocolVersion;
  await post({ method: "notifications/initialized" });
  const call = async (name, args) => {
    const { result } = await post({ id: ++last, method: "tools/call", params: { name, arguments: args } });
    return { failed: !!result.isError, text: result.content[0].text };
  };
  const preview = async (qty) => {
    const { failed, text } = await call("preview_order", { op: "place", order: { type: "limit", price: "900", legs: [{ action: "BTO", qty, symbol: "SPY" }] } });
    assert.ok(!failed, text);
    return JSON.parse(text).preview_id;
  };
  return { preview, place: (id) => call("place_order", { preview_id: id }) };
}

const shape = `({
  title: document.title, address: location.href, lang: document.documentElement.lang,
  headings: [...document.querySelectorAll("h1,h2,h3")].map((h) => [h.tagName, h.textContent]),
  unlabelled: [...document.querySelectorAll("input:not([type=hidden])")].filter((i) => !i.labels.length).length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  buttons: [...document.querySelectorAll("section:not([aria-labelledby=passkeys]) button")].map((b) => b.textContent),
  text: document.body.innerText, html: document.documentElement.outerHTML, cookies: document.cookie,
})`;

function looksRight(page, where) {
  assert.match(page.title, /^Approvals · ttai/, `${where}: the title`);
  assert.equal(page.lang, "en");
  assert.equal(page.headings.filter(([level]) => level === "H1").length, 1, `${where}: one first heading`);
  assert.equal(page.unlabelled, 0, `${where}: every field has a label`);
  assert.ok(page.overflow <= 0, `${where}: it scrolls sideways by ${page.overflow} pixels`);
  assert.ok(page.text.includes("simulator: no real money"), `${where}: the environment`);
  for (const secret of [server.key, server.token]) assert.ok(!page.html.includes(secret) && !page.address.includes(secret), `${where}: a secret stays in sight`);
  assert.equal(page.cookies, "", `${where}: no script can read the cookie`);
}

const order = /buy to open 1 SPY for a debit of 900 or better/;
let server = await serve();
let client = await connect(server.token);
let first = await client.preview(1);
assert.match((await client.place(first)).text, /approval required/, "nobody has approved");

// Neither the token of an MCP client nor the other page's cookie opens it.
let tab = await open();
await tab.size(1200, 900, false);
await tab.go(`${base}/?token=${server.token}`);
for (const address of ["/approve/", `/approve/?token=${server.token}`, `/approve/?key=${server.token}`]) {
  await tab.go(base + address);
  const door = await tab.run(shape);
  assert.ok(!door.text.includes(first) && !order.test(door.text), `${address}: an order is shown`);
  assert.deepEqual(door.headings, [["H1", "Approvals"]], address);
  assert.equal(await tab.run(`document.querySelectorAll("#key").length`), 1, `${address}: it asks for the key`);
}
assert.match(await tab.run("document.body.innerText"), /This is not the key/);
await tab.go(`${base}/approve/`);
looksRight(await tab.run(shape), "the door");
await accessible(tab, "the door");
await tab.picture("approve-door");

// The key, by the form and the keyboard, does.
await tab.size(1200, 900, false);
await tab.run(`document.getElementById("key").value = ${JSON.stringify(server.key)}`);
await tab.reach("Come in");
await tab.press();
let page = await tab.run(shape);
looksRight(page, "the orders");
assert.equal(page.address, `${base}/approve/`);
assert.match(page.text, order, "the order in words");
assert.match(page.text, /account 5WS00001/);
assert.match(page.text, /Worst case\s+900\.\d\d/i, "what it can lose");
assert.deepEqual(page.buttons, ["Approve this order", "Decline"]);
await accessible(tab, "an order");
await tab.size(360, 740, true);
looksRight(await tab.run(shape), "phone");
await tab.picture("approve-phone");
await tab.close();

// By the link; approved by keyboard, and sent only when it is submitted.
tab = await open();
await tab.size(1200, 900, false);
await tab.go(`${base}/approve/?key=${server.key}`);
looksRight(await tab.run(shape), "by the link");
await tab.picture("approve");
await tab.reach("Approve this order");
await tab.press();
page = await tab.run(shape);
looksRight(page, "approved");
assert.match(page.text, /Approved: it is sent when it is submitted/);
let placed = await client.place(first);
assert.ok(!placed.failed && /"state":\s*"done"/.test(placed.text), placed.text);
assert.match((await client.place(first)).text, /already used/, "an approval is good once");

// Declined by keyboard.
const second = await client.preview(2);
await tab.reach("Look again");
await tab.press();
await tab.reach("Decline");
await tab.press();
assert.match(await tab.run("document.body.innerText"), /Declined: it will not be sent/);
assert.match((await client.place(second)).text, /already used/);
assert.deepEqual(tab.complaints(), [], "the browser complains about nothing");
await tab.close();

// With script blocked.
const third = await client.preview(3);
tab = await open();
await tab.send("Emulation.setScriptExecutionDisabled", { value: true });
await tab.go(`${base}/approve/`);
await tab.reach("Approve this order");
await tab.press();
assert.match(await tab.run("document.body.innerText"), /Approved/);
placed = await client.place(third);
assert.ok(!placed.failed, placed.text);
await tab.close();

// A passkey is made, and written into the settings.
tab = await open();
await tab.size(1200, 900, false);
await tab.send("WebAuthn.enable");
const { authenticatorId } = await tab.send("WebAuthn.addVirtualAuthenticator", {
  options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
});
const local = `http://localhost:${port}`;
const said = async (wanted) => {
  for (let i = 0; i < 100 && !wanted.test(await tab.run("document.getElementById('said').textContent")); i++) await new Promise((done) => setTimeout(done, 100));
  assert.match(await tab.run("document.getElementById('said').textContent"), wanted);
};
await tab.go(`${local}/approve/?key=${server.key}`);
await tab.reach("Make a passkey for this page");
await tab.key("Enter");
await said(/^Made\./);
await accessible(tab, "a passkey");
await tab.size(360, 740, true);
looksRight(await tab.run(shape), "a passkey on a phone");
await tab.picture("approve-passkey-made");
const made = JSON.parse(await tab.run("document.getElementById('made').textContent"));
assert.equal(made.rp_id, "localhost");
assert.deepEqual(made.origins, [local]);
// Only ES256 is asked for, since the guard knows no other; Chromium would like RS256 too.
assert.deepEqual(tab.complaints().filter((text) => !text.includes("pubKeyCredParams")), [], "the browser complains about nothing");
await server.end();
await mkdir(`${home}/.config/ttai`, { recursive: true });
await writeFile(
  `${home}/.config/ttai/trading.json`,
  JSON.stringify({
    ...made,
    limits: {
      mode: "trade", accounts: ["5WS00001"], symbols: ["SPY"],
      max_order_loss: 5000, max_order_notional: 5000, max_contracts: 1, max_shares: 10,
      max_daily_orders: 20, max_daily_loss: 20000, max_open_notional: 20000, max_symbol_risk: "none", max_portfolio_risk: "none",
      min_buying_power: 1000, price_band: "none", free_cancels: true, approval: { grade: "passkey" },
    },
  }),
);

// Now nothing else approves: the page has no button, and a person who was not
// verified signs nothing.
server = await serve();
client = await connect(server.token);
const fourth = await client.preview(4);
assert.match((await client.place(fourth)).text, /approval required/);
await tab.size(1200, 900, false);
await tab.go(`${local}/approve/?key=${server.key}`);
page = await tab.run(shape);
looksRight(page, "for a passkey");
assert.match(page.text, /an approval of grade passkey/);
assert.deepEqual(page.buttons, ["Approve with a passkey", "Decline"]);
await accessible(tab, "for a passkey");
await tab.size(1200, 900, false);
await tab.picture("approve-passkey");
await tab.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
await tab.reach("Approve with a passkey");
await tab.key("Enter");
await said(/^No signature: /);
assert.match((await client.place(fourth)).text, /approval required/);
await tab.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
await tab.go(`${local}/approve/`);
await tab.reach("Approve with a passkey");
await tab.press();
assert.match(await tab.run("document.body.innerText"), /Approved: it is sent when it is submitted/);
placed = await client.place(fourth);
assert.ok(!placed.failed && /"state":\s*"done"/.test(placed.text), placed.text);

// What signed one order is no approval of another.
const fifth = await client.preview(5);
assert.match((await client.place(fifth)).text, /approval required/);
await tab.close();
await server.end();
console.log("the page of approvals: opened by its key alone, approved and declined by keyboard, signed with a passkey");
process.exit(0);
