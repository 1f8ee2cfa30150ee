// Opens the page in a browser and checks what a browser alone can tell.
// Usage: node page-check.mjs DEBUG_PORT LINK FOLDER [AXE_FILE]
// LINK is the address with the token that ttai-mcp prints; screenshots go to
// FOLDER; AXE_FILE is the accessibility checker axe-core.
import assert from "node:assert/strict";
import { browser } from "./browser.mjs";

const [port, link, folder, axeFile] = process.argv.slice(2);
const { open, accessible } = browser(port, folder, axeFile);
const origin = new URL(link).origin;
const token = new URL(link).searchParams.get("token");

const shape = `({
  title: document.title, address: location.href, lang: document.documentElement.lang,
  headings: [...document.querySelectorAll("h1,h2,h3")].map((h) => [h.tagName, h.textContent]),
  landmarks: ["header", "nav", "main", "footer"].filter((n) => document.querySelectorAll(n).length === 1),
  unlabelled: [...document.querySelectorAll("input,select")].filter((i) => !i.labels.length).length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  chart: (() => { const i = document.querySelector("figure img"); return i && { width: i.naturalWidth, from: i.currentSrc, alt: i.alt }; })(),
  live: !document.getElementById("updates").hidden,
  text: document.body.innerText,
  html: document.documentElement.outerHTML,
  cookies: document.cookie,
})`;

function looksRight(page, where) {
  assert.match(page.title, /SPY · simulator · ttai/, `${where}: the title`);
  assert.equal(page.address, `${origin}/`, `${where}: the token leaves the address`);
  assert.equal(page.lang, "en");
  assert.equal(page.headings.filter(([level]) => level === "H1").length, 1, `${where}: one first heading`);
  for (const heading of ["SPY", "Portfolio", "Tools", "Connect a client"])
    assert.ok(page.headings.some(([level, text]) => level === "H2" && text === heading), `${where}: the heading ${heading}`);
  assert.deepEqual(page.landmarks, ["header", "nav", "main", "footer"], `${where}: landmarks`);
  assert.equal(page.unlabelled, 0, `${where}: every field has a label`);
  assert.ok(page.overflow <= 0, `${where}: it scrolls sideways by ${page.overflow} pixels`);
  assert.ok(page.chart?.width > 0, `${where}: the chart is drawn`);
  assert.match(page.chart.alt, /^Candles of SPY, \d+ bars/, `${where}: the chart in words`);
  assert.ok(page.text.includes("simulator: no real money"), `${where}: the environment`);
  assert.ok(page.text.includes("5WS00001"), `${where}: the portfolio`);
  assert.ok(page.text.includes("claude mcp add"), `${where}: the configuration`);
  assert.ok(!page.html.includes(token), `${where}: the token is nowhere on the page`);
  assert.equal(page.cookies, "", `${where}: no script can read the cookie`);
}

// Without a token there is nothing but a form; the form lets one in.
let tab = await open();
await tab.size(1200, 900, false);
await tab.go(`${origin}/`);
assert.equal(await tab.run("document.title"), "Sign in");
assert.ok(!(await tab.run("document.body.innerText")).includes("5WS00001"));
await tab.picture("door");
let loaded = tab.event("Page.loadEventFired");
await tab.run(`document.getElementById("token").value = "not-the-token-at-all"; document.querySelector("form").requestSubmit()`);
await loaded;
assert.match(await tab.run("document.body.innerText"), /not valid/);
loaded = tab.event("Page.loadEventFired");
await tab.run(`document.getElementById("token").value = ${JSON.stringify(token)}; document.querySelector("form").requestSubmit()`);
await loaded;
looksRight(await tab.run(shape), "signed in by the form");
await tab.close();

// A desktop, by the link.
tab = await open();
await tab.size(1200, 900, false);
await tab.go(link);
const desktop = await tab.run(shape);
looksRight(desktop, "desktop");
assert.equal(desktop.live, true, "desktop: the script runs");
await tab.picture("desktop");

// The keyboard: the first stop skips to the content, and focus is always visible.
await tab.key("Tab");
assert.equal(await tab.run("document.activeElement.className"), "skip", "the first stop is the skip link");
const stops = new Set();
for (let i = 0; i < 60; i++) {
  const stop = await tab.run(`(() => { const e = document.activeElement, s = getComputedStyle(e); return [e.tagName, e.id || e.name || e.textContent.trim().slice(0, 20), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2]; })()`);
  if (stop[0] === "BODY") break;
  assert.ok(stop[2], `focus on ${stop[0]} ${stop[1]} cannot be seen`);
  stops.add(`${stop[0]} ${stop[1]}`);
  await tab.key("Tab");
}
for (const wanted of ["INPUT symbol", "SELECT interval", "BUTTON Show", "SUMMARY The latest bars"]) assert.ok([...stops].some((s) => s.startsWith(wanted)), `the keyboard reaches ${wanted}: ${[...stops]}`);

// An update changes the numbers and not the place of the reader.
const before = await tab.run(`document.getElementById("status").innerText`);
const drawn = await tab.run(`document.querySelector("figure img").currentSrc`);
await new Promise((done) => setTimeout(done, 1100));
await tab.run(`document.getElementById("live").dispatchEvent(new Event("change"))`);
for (let i = 0; i < 50 && (await tab.run(`document.getElementById("status").innerText`)) === before; i++) await new Promise((done) => setTimeout(done, 100));
assert.notEqual(await tab.run(`document.getElementById("status").innerText`), before, "the script updates the page");
for (let i = 0; i < 50 && (await tab.run(`document.querySelector("figure img").currentSrc`)) === drawn; i++) await new Promise((done) => setTimeout(done, 100));
assert.notEqual(await tab.run(`document.querySelector("figure img").currentSrc`), drawn, "and the chart");
assert.deepEqual(tab.complaints(), [], "the browser complains about nothing");

// The accessibility checker, in light and dark colours, wide and narrow.
if (axeFile) {
  await tab.run(`document.querySelector("details").open = true`);
  await accessible(tab, "the page");
  await tab.picture("dark-phone");
}
await tab.close();

// A phone.
tab = await open();
await tab.size(360, 740, true);
await tab.go(link);
const phone = await tab.run(shape);
looksRight(phone, "phone");
assert.match(phone.chart.from, /size=small/, "phone: the chart is drawn for a small screen");
await tab.picture("phone");
await tab.close();

// With script blocked everything is there, and another symbol can be asked for.
tab = await open();
await tab.send("Emulation.setScriptExecutionDisabled", { value: true });
await tab.size(1200, 900, false);
await tab.go(link);
const still = await tab.run(shape);
looksRight(still, "script blocked");
assert.equal(still.live, false, "script blocked: what needs script is not shown");
loaded = tab.event("Page.loadEventFired");
await tab.run(`document.getElementById("symbol").value = "aapl"; document.getElementById("interval").value = "5m"; document.querySelector("form.ask").requestSubmit()`);
await loaded;
const other = await tab.run(shape);
assert.match(other.title, /^AAPL/);
assert.match(other.chart.alt, /bars of 5 minutes/);
await tab.picture("no-script");
loaded = tab.event("Page.loadEventFired");
await tab.run(`document.getElementById("symbol").value = "<b>NOPE"; document.querySelector("form.ask").requestSubmit()`);
await loaded;
assert.match(await tab.run("document.body.innerText"), /No quote/, "a wrong symbol is explained");
assert.equal(await tab.run(`document.querySelectorAll("b").length`), 0, "what is typed stays text");
loaded = tab.event("Page.loadEventFired");
await tab.run(`document.querySelector("form[action=signout]").requestSubmit()`);
await loaded;
assert.equal(await tab.run("document.title"), "Sign in", "signing out ends it");
await tab.close();
console.log(`the page: ${stops.size} keyboard stops, ${desktop.html.length} bytes`);
process.exit(0);
