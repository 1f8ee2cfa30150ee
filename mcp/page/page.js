// Keeps the page current: asks for it again and takes over the parts that
// change. Without this script the page is the same, as of when it was loaded.
"use strict";
(() => {
  const every = 15000;
  const box = document.getElementById("live");
  const said = document.getElementById("said");
  const say = (text) => {
    if (said.textContent !== text) said.textContent = text;
  };

  // What the reader is in the middle of is left alone.
  const inUse = (part) => {
    const selection = document.getSelection();
    return part.contains(document.activeElement) || (selection && !selection.isCollapsed && selection.containsNode(part, true));
  };

  const update = async () => {
    if (!box.checked || document.hidden) return;
    try {
      const answer = await fetch(location.pathname + location.search, { credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(every) });
      if (answer.status === 401) {
        box.checked = false;
        say("Updates have ended: sign in again with the address that the server printed.");
        return;
      }
      if (!answer.ok) throw new Error("the server answered " + answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const now = fresh.getElementById(part.id);
        if (now && now.innerHTML !== part.innerHTML && !inUse(part)) part.replaceChildren(...now.childNodes);
      }
      // The old drawing stays until the new one is there.
      for (const [id, names] of [["small", ["srcset"]], ["wide", ["src", "alt"]]]) {
        const [was, now] = [document.getElementById(id), fresh.getElementById(id)];
        for (const name of names) {
          if (was && now && was.getAttribute(name) !== now.getAttribute(name)) was.setAttribute(name, now.getAttribute(name));
        }
      }
      say("");
    } catch {
      say("The page could not be updated. It shows what it knew before, and will try again.");
    }
  };

  document.getElementById("updates").hidden = false;
  box.checked = sessionStorage.getItem("live") !== "off";
  box.addEventListener("change", () => {
    sessionStorage.setItem("live", box.checked ? "on" : "off");
    update();
  });
  document.addEventListener("visibilitychange", update);
  setInterval(update, every);

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
          say("Copied.");
        } catch {
          say("Nothing was copied: the browser does not allow it.");
        }
      });
    }
  }
})();
