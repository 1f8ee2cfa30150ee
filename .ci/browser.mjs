// A browser, driven over its debugging protocol. PORT is where it listens;
// screenshots go to FOLDER; AXE_FILE is the accessibility checker axe-core.
import { readFile, writeFile } from "node:fs/promises";
import assert from "node:assert/strict";

export function browser(port, folder, axeFile) {
  // Opens a tab.
  async function open() {
    const target = await (await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: "PUT" })).json();
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((done, failed) => Object.assign(socket, { onopen: done, onerror: failed }));
    const waiting = new Map();
    const heard = [];
    const listeners = new Set();
    let last = 0;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (!message.id) {
        heard.push(message);
        for (const l of listeners) l(message);
        return;
      }
      const { done, failed } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? failed(new Error(message.error.message)) : done(message.result);
    };
    const send = (method, params = {}) =>
      new Promise((done, failed) => {
        waiting.set(++last, { done, failed });
        socket.send(JSON.stringify({ id: last, method, params }));
      });
    const event = (name) =>
      new Promise((done, failed) => {
        const timer = setTimeout(() => failed(new Error(`no ${name} within 20 seconds`)), 20000);
        const l = (m) => {
          if (m.method !== name) return;
          clearTimeout(timer);
          listeners.delete(l);
          done(m.params);
        };
        listeners.add(l);
      });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
    const tab = { send, event, heard };
    tab.go = async (url) => {
      const loaded = event("Page.loadEventFired");
      await send("Page.navigate", { url });
      await loaded;
    };
    tab.run = async (expression) => {
      const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    tab.size = (width, height, mobile) => send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    tab.picture = async (name) => {
      const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
      await writeFile(`${folder}/${name}.png`, Buffer.from(data, "base64"));
    };
    // What the browser complained about: blocked by policy, failed, thrown.
    tab.complaints = () =>
      heard
        .filter((m) => m.method === "Runtime.exceptionThrown" || (m.method === "Log.entryAdded" && ["error", "warning"].includes(m.params.entry.level)))
        .map((m) => m.params.entry?.text ?? m.params.exceptionDetails.exception?.description);
    const keys = { Tab: { windowsVirtualKeyCode: 9 }, Enter: { windowsVirtualKeyCode: 13, text: "\r" } };
    tab.key = async (name) => {
      for (const type of [keys[name].text ? "keyDown" : "rawKeyDown", "keyUp"]) await send("Input.dispatchKeyEvent", { type, key: name, code: name, ...(type === "keyUp" ? {} : keys[name]) });
    };
    // Goes on with the keyboard until what has the focus says so, and returns how far it was.
    tab.reach = async (text) => {
      for (let stops = 1; stops < 60; stops++) {
        await tab.key("Tab");
        const stop = await tab.run(`(() => { const e = document.activeElement, s = getComputedStyle(e); return { text: e.textContent.trim(), tag: e.tagName, seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 }; })()`);
        assert.ok(stop.tag === "BODY" || stop.seen, `focus on ${stop.tag} ${stop.text.slice(0, 20)} cannot be seen`);
        if (stop.text === text) return stops;
      }
      assert.fail(`the keyboard does not reach ${text}`);
    };
    // Presses what has the focus and waits for the page that follows.
    tab.press = async () => {
      const loaded = event("Page.loadEventFired");
      await tab.key("Enter");
      await loaded;
    };
    tab.close = async () => {
      socket.close();
      await fetch(`http://127.0.0.1:${port}/json/close/${target.id}`);
    };
    return tab;
  }

  // Runs the accessibility checker in light and dark colours, wide and narrow.
  async function accessible(tab, where) {
    if (!axeFile) return;
    const axe = await readFile(axeFile, "utf8");
    for (const scheme of ["light", "dark"]) {
      for (const width of [1200, 360]) {
        await tab.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
        await tab.size(width, 900, width < 500);
        await tab.run(axe + "; null");
        const found = await tab.run(`axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target + " " + (n.any[0]?.message ?? "")).join(" | ")))`);
        assert.ok((await tab.run(`axe.run(document, { resultTypes: ["passes"] }).then((r) => r.passes.length)`)) > 20, `${where}: axe has looked at the page`);
        assert.deepEqual(found, [], `${where}: axe, ${scheme}, ${width} pixels`);
      }
    }
  }
  return { open, accessible };
}
