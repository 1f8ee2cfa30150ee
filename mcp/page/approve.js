"use strict";
// Signs the challenge of an order with a passkey and sends the assertion; makes
// passkeys, which are shown to be written into the settings.
(() => {
	const form = document.getElementById("signed");
	const said = document.getElementById("said");
	const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
	const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	if (!window.PublicKeyCredential) {
		said.textContent = "This browser has no passkeys.";
		return;
	}
	const make = document.getElementById("make");
	make.hidden = false;
	make.firstElementChild.addEventListener("click", async () => {
		said.textContent = "";
		try {
			const made = await navigator.credentials.create({ publicKey: {
				challenge: crypto.getRandomValues(new Uint8Array(32)), rp: { name: "ttai", id: location.hostname },
				user: { id: crypto.getRandomValues(new Uint8Array(16)), name: "operator", displayName: "operator" },
				pubKeyCredParams: [{ type: "public-key", alg: -7 }], authenticatorSelection: { userVerification: "required" }, timeout: 60000,
			} });
			const standard = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
			const shown = document.getElementById("made");
			shown.textContent = JSON.stringify({
				rp_id: location.hostname, origins: [location.origin],
				passkeys: [{ name: "this device", id: standard(made.rawId), public_key: standard(made.response.getPublicKey()) }],
			}, null, 2);
			shown.hidden = false;
			said.textContent = "Made. Write this into trading.json beside the limits:";
		} catch (problem) {
			said.textContent = "No passkey: " + problem.message;
		}
	});
	for (const button of document.querySelectorAll("button[data-challenge]")) {
		button.addEventListener("click", async () => {
			said.textContent = "";
			try {
				const got = await navigator.credentials.get({ publicKey: {
					challenge: bytes(button.dataset.challenge), rpId: form.dataset.rpid, userVerification: "required", timeout: 60000,
					allowCredentials: form.dataset.passkeys.split(" ").map((id) => ({ type: "public-key", id: bytes(id) })),
				} });
				form.elements.preview.value = button.dataset.preview;
				form.elements.assertion.value = JSON.stringify({
					id: got.id, rawId: text(got.rawId), type: got.type,
					response: {
						clientDataJSON: text(got.response.clientDataJSON), authenticatorData: text(got.response.authenticatorData),
						signature: text(got.response.signature), userHandle: got.response.userHandle ? text(got.response.userHandle) : undefined,
					},
				});
				form.submit();
			} catch (problem) {
				said.textContent = "No signature: " + problem.message;
			}
		});
	}
})();
