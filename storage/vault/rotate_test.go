package vault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

func keyInfos(t testing.TB, v *vault.Vault) []vault.KeyInfo {
	t.Helper()
	infos, err := v.Keys(t.Context())
	require.NoError(t, err)
	return infos
}

func TestRotationReplacesTheDataKeyUnderAllSecrets(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	now := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	opts := &vault.Options{Now: func() time.Time { return now }}
	v, other := open(t, s, w, opts), open(t, s, w, opts)
	assert.Empty(t, keyInfos(t, v))
	put(t, v, ann, "ann's")
	require.NoError(t, v.Put(t.Context(), bob, vault.SecretString("bob's"), time.Hour))
	gone := vault.Ref{User: "gone", Provider: "p"}
	require.NoError(t, v.Put(t.Context(), gone, vault.SecretString("x"), time.Minute))
	first := keyInfos(t, v)
	require.Len(t, first, 1)
	assert.Equal(t, now, first[0].Created.UTC())
	assert.Zero(t, first[0].Superseded)

	now = now.Add(2 * time.Minute)
	require.NoError(t, v.AddKey(t.Context()))
	assert.Equal(t, "ann's", get(t, other, ann), "what lies under the old key stays readable")
	infos := keyInfos(t, other)
	require.Len(t, infos, 2)
	assert.Equal(t, now, infos[0].Superseded.UTC())
	assert.Zero(t, infos[1].Superseded)
	third := vault.Ref{User: "cy", Provider: "p"}
	put(t, other, third, "cy's")

	moved, err := v.Reencrypt(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, moved, "the third lies under the new key, and the fourth has expired")
	assert.Len(t, s.secrets(), 3, "the expired one was deleted")
	dropped, err := v.Prune(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, dropped)
	infos = keyInfos(t, v)
	require.Len(t, infos, 1)
	assert.NotEqual(t, first[0].ID, infos[0].ID)
	assert.True(t, strings.HasPrefix(infos[0].ID, "2-"), infos[0].ID)

	fresh := open(t, s, w, opts)
	for ref, want := range map[vault.Ref]string{ann: "ann's", bob: "bob's", third: "cy's"} {
		assert.Equal(t, want, get(t, fresh, ref))
		assert.Equal(t, want, get(t, other, ref))
	}
	now = now.Add(time.Hour)
	_, err = fresh.Get(t.Context(), bob)
	assert.ErrorIs(t, err, storage.ErrNotFound, "the expiry moved along")

	moved, err = v.Reencrypt(t.Context())
	require.NoError(t, err)
	assert.Zero(t, moved, "there is nothing left to move")
}

func TestRotatingAnEmptyVaultOnlyMakesAKey(t *testing.T) {
	v := open(t, newShelf("t"), newWrapper(t), nil)
	require.NoError(t, v.Rewrap(t.Context()))
	n, err := v.Prune(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Empty(t, keyInfos(t, v))
	n, err = v.Rotate(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Len(t, keyInfos(t, v), 1)
}

func TestAWriteThatMeetsARotationEndsUnderTheNewKey(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	slow, rotator := open(t, s, w, nil), open(t, s, w, nil)
	put(t, slow, ann, "old")
	// The slow writer has sealed its secret; before it is stored, the key is
	// replaced and dropped.
	var once atomic.Bool
	s.before = func(op string) error {
		if op == "write vault-secrets" {
			if once.CompareAndSwap(false, true) {
				_, err := rotator.Rotate(context.Background())
				require.NoError(t, err)
			}
		}
		return nil
	}
	require.NoError(t, slow.Put(t.Context(), ann, vault.SecretString("new"), 0))
	s.before = nil
	assert.Len(t, keyInfos(t, slow), 1)
	assert.Equal(t, "new", get(t, open(t, s, w, nil), ann))
}

func TestAReadThatMeetsARotationReadsAgain(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	rotator, slow := open(t, s, w, nil), open(t, s, w, nil)
	put(t, rotator, ann, hidden)
	// The slow reader has the secret's old record; before it reads the keys, the
	// old one is gone.
	var once atomic.Bool
	s.before = func(op string) error {
		if op == "get vault-keys" {
			if once.CompareAndSwap(false, true) {
				_, err := rotator.Rotate(context.Background())
				require.NoError(t, err)
			}
		}
		return nil
	}
	assert.Equal(t, hidden, get(t, slow, ann))
}

func TestADamagedSecretIsNamedAndItsKeyKept(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	v := open(t, s, w, nil)
	put(t, v, ann, "ann's")
	put(t, v, bob, "bob's")
	at := s.secrets()[0]
	b := s.binary(t, at, "sealed")
	damaged := append([]byte(nil), b...)
	damaged[len(damaged)-1] ^= 1
	s.overwrite(t, at, "sealed", damaged)

	moved, err := v.Rotate(t.Context())
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	assert.ErrorContains(t, err, at[1])
	assert.Equal(t, 1, moved, "the other one moved")
	assert.Len(t, keyInfos(t, v), 2, "no key was dropped")

	s.overwrite(t, at, "sealed", b) // restored from a backup
	n, err := v.Prune(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, "ann's", get(t, v, ann))
	assert.Equal(t, "bob's", get(t, v, bob))
}

func TestARotationCutOffAtAnyWriteIsFinishedByTheNext(t *testing.T) {
	cut := errors.New("cut off")
	for stop := 1; ; stop++ {
		s := newShelf("t")
		w := newWrapper(t)
		v := open(t, s, w, nil)
		for i := range 3 {
			put(t, v, vault.Ref{User: fmt.Sprint(i), Provider: "p"}, fmt.Sprint(i))
		}
		writes := 0
		s.before = func(op string) error {
			if strings.HasPrefix(op, "write") {
				if writes++; writes == stop {
					return cut
				}
			}
			return nil
		}
		_, err := v.Rotate(t.Context())
		s.before = nil
		if err == nil {
			assert.Equal(t, 6, stop, "a new key, three secrets, and the old key dropped: five writes")
			return
		}
		require.ErrorIs(t, err, cut)
		fresh := open(t, s, w, nil)
		for range 2 {
			for i := range 3 {
				assert.Equal(t, fmt.Sprint(i), get(t, fresh, vault.Ref{User: fmt.Sprint(i), Provider: "p"}))
			}
			_, err = fresh.Rotate(t.Context())
			require.NoError(t, err)
		}
		assert.Len(t, keyInfos(t, fresh), 1)
	}
}

func TestTheMasterKeyIsReplacedWithoutTouchingSecrets(t *testing.T) {
	s := newShelf("t")
	oldKey := vault.NewMasterKeys()
	oldWrapper, err := vault.NewLocalKeys(oldKey)
	require.NoError(t, err)
	put(t, open(t, s, oldWrapper, nil), ann, hidden)
	before := s.binary(t, s.secrets()[0], "sealed")

	both := oldKey.WithNew()
	bothWrapper, err := vault.NewLocalKeys(both)
	require.NoError(t, err)
	v := open(t, s, bothWrapper, nil)
	assert.Equal(t, hidden, get(t, v, ann), "the old key still unwraps")
	assert.Equal(t, both.IDs()[0], keyInfos(t, v)[0].Master)
	require.NoError(t, v.Rewrap(t.Context()))
	assert.Equal(t, both.IDs()[1], keyInfos(t, v)[0].Master)
	assert.Equal(t, before, s.binary(t, s.secrets()[0], "sealed"))

	newKey, err := both.Without(both.IDs()[0])
	require.NoError(t, err)
	newWrapper, err := vault.NewLocalKeys(newKey)
	require.NoError(t, err)
	assert.Equal(t, hidden, get(t, open(t, s, newWrapper, nil), ann), "the new key alone is enough")
	_, err = open(t, s, oldWrapper, nil).Get(t.Context(), ann)
	assert.ErrorIs(t, err, vault.ErrNoKey, "the old key alone is not")
}

func TestAKeyThatWasRewrappedAndItsMasterKeyRemovedMeanwhileIsFound(t *testing.T) {
	s := newShelf("t")
	path := t.TempDir() + "/master.key"
	require.NoError(t, vault.CreateKeyFile(path))
	file, err := vault.OpenKeyFile(path)
	require.NoError(t, err)
	rotator := open(t, s, file, nil)
	put(t, rotator, ann, hidden)
	for name, call := range map[string]func(*vault.Vault) error{
		"get":    func(v *vault.Vault) error { _, err := v.Get(t.Context(), ann); return err },
		"put":    func(v *vault.Vault) error { return v.Put(t.Context(), bob, vault.SecretString("x"), 0) },
		"rotate": func(v *vault.Vault) error { _, err := v.Rotate(t.Context()); return err },
	} {
		// The slow one has read the keys as the old master key wraps them; before it
		// unwraps them, that key is gone.
		own, err := vault.OpenKeyFile(path)
		require.NoError(t, err)
		slow := open(t, s, &lateWrapper{KeyWrapper: own, before: func() {
			old := file.IDs()[0]
			require.NoError(t, file.Rotate())
			require.NoError(t, rotator.Rewrap(context.Background()))
			require.NoError(t, file.Remove(old))
			require.NoError(t, own.Reload(context.Background()))
		}}, &vault.Options{KeepKeys: -1})
		assert.NoError(t, call(slow), name)
	}
}

// A lateWrapper is told once before it unwraps.
type lateWrapper struct {
	vault.KeyWrapper
	before func()
}

func (w *lateWrapper) Unwrap(ctx context.Context, master string, wrapped, binding []byte) ([]byte, error) {
	if before := w.before; before != nil {
		w.before = nil
		before()
	}
	return w.KeyWrapper.Unwrap(ctx, master, wrapped, binding)
}

func TestReadersAndWritersGoOnWhileAllKeysRotate(t *testing.T) {
	s := newShelf("t")
	path := t.TempDir() + "/master.key"
	require.NoError(t, vault.CreateKeyFile(path))
	wrapper := func() *vault.KeyFile {
		f, err := vault.OpenKeyFile(path)
		require.NoError(t, err)
		return f
	}
	// Two processes over one store, each with its own view of the key file; none
	// keeps keys, so that each call meets what is stored at that moment.
	one := open(t, s, wrapper(), &vault.Options{KeepKeys: -1})
	two := open(t, s, wrapper(), nil)
	const users = 4
	ref := func(i int) vault.Ref { return vault.Ref{User: fmt.Sprint(i), Provider: "p"} }
	for i := range users {
		put(t, one, ref(i), "0")
	}

	ctx := t.Context()
	var stop atomic.Bool
	var group sync.WaitGroup
	var reads, writes atomic.Int64
	for i := range users {
		v := []*vault.Vault{one, two}[i%2]
		reader := []*vault.Vault{two, one}[i%2]
		var written atomic.Int64 // the count that was acknowledged last
		group.Go(func() {
			for n := int64(1); !stop.Load(); n++ {
				if err := v.Put(ctx, ref(i), vault.SecretString(fmt.Sprint(n)), 0); err != nil {
					t.Error(err)
					return
				}
				written.Store(n)
				writes.Add(1)
			}
		})
		group.Go(func() {
			for !stop.Load() {
				least := written.Load()
				secret, err := reader.Get(ctx, ref(i))
				if err != nil {
					t.Error(err)
					return
				}
				var n int64
				_ = secret.Use(func(b []byte) error { _, err := fmt.Sscan(string(b), &n); return err })
				if n < least {
					t.Errorf("read %d after %d was stored", n, least)
				}
				reads.Add(1)
			}
		})
	}
	rotator := wrapper()
	const rounds = 10
	for round := range rounds {
		v := []*vault.Vault{one, two}[round%2]
		_, err := v.Rotate(ctx)
		assert.NoError(t, err)
		old := rotator.IDs()
		require.NoError(t, rotator.Rotate())
		assert.NoError(t, v.Rewrap(ctx))
		require.NoError(t, rotator.Remove(old[0]))
		for busy := reads.Load() + writes.Load(); reads.Load()+writes.Load() < busy+20 && !t.Failed(); {
			time.Sleep(time.Millisecond) // let the others have the shelf
		}
	}
	stop.Store(true)
	group.Wait()
	infos := keyInfos(t, open(t, s, wrapper(), nil))
	require.Len(t, infos, 1)
	assert.True(t, strings.HasPrefix(infos[0].ID, fmt.Sprint(rounds+1, "-")), infos[0].ID)
}

func TestManyVaultsThatStoreTheFirstSecretAtOnceShareOneKey(t *testing.T) {
	for range 50 { // each is another order of who comes first
		firstSecretsAtOnce(t)
	}
}

func firstSecretsAtOnce(t *testing.T) {
	t.Helper()
	s := newShelf("t")
	w := newWrapper(t)
	var group sync.WaitGroup
	for i := range 8 {
		v := open(t, s, w, nil)
		group.Go(func() {
			assert.NoError(t, v.Put(context.Background(), vault.Ref{User: fmt.Sprint(i), Provider: "p"}, vault.SecretString(hidden), 0))
		})
	}
	group.Wait()
	v := open(t, s, w, nil)
	assert.Len(t, keyInfos(t, v), 1)
	assert.Len(t, refs(t, v, ""), 8)
	for _, ref := range refs(t, v, "") {
		assert.Equal(t, hidden, get(t, v, ref))
	}
}

func TestRotationPassesThroughThousandsOfSecrets(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	const n = 2100 // more than two pages
	for i := range n {
		put(t, v, vault.Ref{User: fmt.Sprintf("%04d", i), Provider: "p"}, "x")
	}
	s.before = nil
	moved, err := v.Rotate(t.Context())
	require.NoError(t, err)
	assert.Equal(t, n, moved)
	assert.Len(t, refs(t, v, ""), n)
	assert.Len(t, keyInfos(t, v), 1)
}

func TestKeysThatWereReadEarlierDoNotReplaceThoseReadLater(t *testing.T) {
	first := vault.NewMasterKeys()
	loads, reading, goOn := 0, make(chan struct{}), make(chan struct{})
	keys, err := vault.LoadLocalKeys(t.Context(), func(context.Context) (vault.MasterKeys, error) {
		switch loads++; loads {
		case 1:
			return first, nil
		case 2: // it has read the first keys, and is slow to say so
			close(reading)
			<-goOn
			return first, nil
		}
		return first.WithNew(), nil
	})
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() { assert.NoError(t, keys.Reload(context.Background())) })
	<-reading
	group.Go(func() { assert.NoError(t, keys.Reload(context.Background())) })
	ended, end := context.WithCancel(t.Context())
	end()
	assert.ErrorIs(t, keys.Reload(ended), context.Canceled, "waiting for the turn ends with the context")
	close(goOn)
	group.Wait()
	assert.Len(t, keys.IDs(), 2, "the second reading has both keys")
}
