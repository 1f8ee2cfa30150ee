package vault_test

import (
	"testing"

	"github.com/ttai-go/ttai/storage/vault"
)

func BenchmarkGet(b *testing.B) {
	v := open(b, newShelf("t"), newWrapper(b), nil)
	put(b, v, ann, hidden)
	for b.Loop() {
		s, err := v.Get(b.Context(), ann)
		if err != nil {
			b.Fatal(err)
		}
		s.Destroy()
	}
}

func BenchmarkPut(b *testing.B) {
	v := open(b, newShelf("t"), newWrapper(b), nil)
	s := vault.SecretString(hidden)
	for b.Loop() {
		if err := v.Put(b.Context(), ann, s, 0); err != nil {
			b.Fatal(err)
		}
	}
}
