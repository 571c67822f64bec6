// Passkeys: made and used by the browser, which binds them to the name in the address.

/** Whether this browser can use passkeys at this address; a bare IP address is no name that they could be bound to. */
export function passkeysAllowed() {
  return isSecureContext && "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** Make a passkey for whoever came in; the password shows that it is them. */
export async function registerPasskey(hub, password) {
  const { options } = await hub.ask("POST", "/api/me/passkeys/options", { password });
  const made = await asked(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
  await hub.ask("POST", "/api/me/passkeys", { credential: made.toJSON() });
}

/** Come in by a passkey; `post` sends JSON and gives what is answered. */
export async function signInByPasskey(post) {
  const { options } = await post("/api/passkeys/options", {});
  const proved = await asked(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
  return post("/api/passkeys/sign-in", { credential: proved.toJSON() });
}

async function asked(work) {
  try {
    return await work();
  } catch (error) {
    throw new Error(error.name === "InvalidStateError" ? "This device has a passkey for you already." : "No passkey was used; try again.");
  }
}
