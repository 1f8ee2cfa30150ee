package vault

// What the tests of the stored forms reach for.
var (
	FuzzedEnvelope = func(b []byte) (rest int, err error) {
		_, sealed, err := parseEnvelope(b)
		return len(sealed), err
	}
	FuzzedKeyset = func(b []byte) (encoded []byte, err error) {
		entries, body, _, err := parseKeyset(b)
		if err != nil {
			return nil, err
		}
		return append((&keyset{entries: entries}).encode(), b[len(body):]...), nil
	}
)

// Held returns how many data keys are in memory.
func (v *Vault) Held() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.plain)
}

// KeysInMemory returns the bytes of the data keys in memory themselves, not
// copies.
func (v *Vault) KeysInMemory() []Secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	var keys []Secret
	for _, k := range v.plain {
		keys = append(keys, k)
	}
	return keys
}

// Inside is what a printer finds when it walks into a vault.
func (v *Vault) Inside() *struct {
	Plain map[keyID]Secret
	Set   *keyset
} {
	return &struct {
		Plain map[keyID]Secret
		Set   *keyset
	}{v.plain, v.set}
}
