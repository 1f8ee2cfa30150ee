package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// An envelope is what is stored of a secret:
//
//	"TTV"      3 bytes
//	format     1 byte, 1
//	key        4 bytes version, 8 bytes random id of the data key
//	expires    8 bytes, Unix milliseconds, 0 for never
//	sealed     12 bytes nonce, the ciphertext, 16 bytes tag
//
// Numbers are big-endian. The header and the secret's place are the additional
// data.
const (
	envelopeMagic  = "TTV"
	envelopeFormat = 1
	headerSize     = 3 + 1 + 4 + 8 + 8
	sealOverhead   = 12 + 16
)

// A keyID names a data key of a tenant. The version counts up; the random part
// tells apart keys of one version, should the tenant's keys ever begin anew.
type keyID struct {
	version uint32
	random  [8]byte
}

func (k keyID) String() string {
	return fmt.Sprintf("%d-%s", k.version, hex.EncodeToString(k.random[:]))
}

func (k keyID) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, k.version)
	return append(b, k.random[:]...)
}

type header struct {
	key     keyID
	expires int64 // Unix milliseconds; 0: never
}

func (h header) expired(now time.Time) bool { return h.expires != 0 && now.UnixMilli() >= h.expires }

func (h header) append(b []byte) []byte {
	b = append(b, envelopeMagic...)
	b = append(b, envelopeFormat)
	b = h.key.append(b)
	return binary.BigEndian.AppendUint64(b, uint64(h.expires))
}

// parseEnvelope splits a stored value into its header and what is sealed.
func parseEnvelope(b []byte) (header, []byte, error) {
	var h header
	if len(b) < 4 || string(b[:3]) != envelopeMagic {
		return h, nil, fmt.Errorf("vault: %w: not an envelope", storage.ErrCorrupt)
	}
	if b[3] > envelopeFormat {
		return h, nil, fmt.Errorf("vault: %w: envelope format %d", storage.ErrNewer, b[3])
	}
	if b[3] != envelopeFormat || len(b) < headerSize+sealOverhead {
		return h, nil, fmt.Errorf("vault: %w: not a whole envelope", storage.ErrCorrupt)
	}
	h.key.version = binary.BigEndian.Uint32(b[4:])
	copy(h.key.random[:], b[8:])
	h.expires = int64(binary.BigEndian.Uint64(b[16:]))
	if h.expires < 0 {
		return header{}, nil, fmt.Errorf("vault: %w: impossible expiry", storage.ErrCorrupt)
	}
	return h, b[headerSize:], nil
}

// appendField appends s with its length before it, so that no two lists of
// fields make the same bytes.
func appendField(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// place is the additional data of a secret's envelope.
func (v *Vault) place(ref Ref, h header) []byte {
	b := appendField(nil, "ttai vault secret")
	for _, s := range []string{string(v.tenant), ref.User, ref.Provider, ref.Name} {
		b = appendField(b, s)
	}
	return h.append(b)
}

// seal makes the envelope of plain under a data key.
func (v *Vault) seal(ctx context.Context, ref Ref, key entry, expires int64, plain []byte) ([]byte, error) {
	h := header{key: key.id, expires: expires}
	data, err := v.dataKey(ctx, key)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	aead, err := gcm(data)
	if err != nil {
		return nil, err
	}
	b := h.append(make([]byte, 0, headerSize+sealOverhead+len(plain)))
	return aead.Seal(b, nil, plain, v.place(ref, h)), nil
}

// open returns what an envelope holds. The keyset is read when set is nil and
// the key is not in memory.
func (v *Vault) open(ctx context.Context, ref Ref, envelope []byte, set *keyset) ([]byte, header, error) {
	h, sealed, err := parseEnvelope(envelope)
	if err != nil {
		return nil, header{}, err
	}
	data, err := v.keyOf(ctx, h.key, set)
	if err != nil {
		return nil, header{}, err
	}
	defer clear(data)
	aead, err := gcm(data)
	if err != nil {
		return nil, header{}, err
	}
	plain, err := aead.Open(nil, nil, sealed, v.place(ref, h))
	if err != nil {
		return nil, header{}, fmt.Errorf("vault: %w: a secret does not authenticate", storage.ErrCorrupt)
	}
	return plain, h, nil
}

// gcm is AES-256-GCM that puts a random nonce before what it seals. A key may
// seal 2^32 messages that way; a data key seals a tenant's few secrets.
func gcm(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("vault: %w: a key of %d bytes", storage.ErrCorrupt, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
