package keyring_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	system "github.com/zalando/go-keyring"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/storage/vault/keyring"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/invalid", "storage/vault"},
		Modules: []string{"github.com/zalando/go-keyring"},
	})
}

func TestKeysAreMadeOnceAndFoundAgain(t *testing.T) {
	system.MockInit()
	_, err := keyring.Open("ttai", "vault")
	assert.ErrorIs(t, err, keyring.ErrNotFound)
	require.NoError(t, keyring.Create("ttai", "vault"))
	one, err := keyring.Open("ttai", "vault")
	require.NoError(t, err)
	assert.ErrorIs(t, keyring.Create("ttai", "vault"), keyring.ErrExists)
	two, err := keyring.Open("ttai", "vault")
	require.NoError(t, err)
	assert.Equal(t, one.IDs(), two.IDs())

	id, wrapped, err := one.Wrap(t.Context(), []byte("key"), []byte("here"))
	require.NoError(t, err)
	key, err := two.Unwrap(t.Context(), id, wrapped, []byte("here"))
	require.NoError(t, err)
	assert.Equal(t, "key", string(key))
}

func TestAKeyringIsRotatedUnderAnOpenOne(t *testing.T) {
	system.MockInit()
	require.NoError(t, keyring.Create("ttai", "vault"))
	one, err := keyring.Open("ttai", "vault")
	require.NoError(t, err)
	two, err := keyring.Open("ttai", "vault")
	require.NoError(t, err)
	old, wrapped, err := one.Wrap(t.Context(), []byte("key"), nil)
	require.NoError(t, err)
	require.NoError(t, two.Rotate())
	current, wrapped2, err := one.Wrap(t.Context(), []byte("key"), nil)
	require.NoError(t, err)
	assert.NotEqual(t, old, current)
	for id, w := range map[string][]byte{old: wrapped, current: wrapped2} {
		_, err := two.Unwrap(t.Context(), id, w, nil)
		assert.NoError(t, err)
	}
	var invalid *vault.FieldError
	assert.ErrorAs(t, two.Remove(current), &invalid)
	require.NoError(t, two.Remove(old))
	_, err = two.Unwrap(t.Context(), old, wrapped, nil)
	assert.ErrorIs(t, err, vault.ErrNoKey)
}

func TestWithoutAKeyringThatIsSaid(t *testing.T) {
	system.MockInitWithError(errors.New("no D-Bus"))
	t.Cleanup(system.MockInit)
	assert.ErrorIs(t, keyring.Create("ttai", "vault"), keyring.ErrUnavailable)
	_, err := keyring.Open("ttai", "vault")
	assert.ErrorIs(t, err, keyring.ErrUnavailable)
	assert.ErrorContains(t, err, "no D-Bus")
	var invalid *vault.FieldError
	assert.ErrorAs(t, keyring.Create("", "vault"), &invalid)
	_, err = keyring.Open("ttai", "")
	assert.ErrorAs(t, err, &invalid)
}

func TestAnEntryThatIsNoKeyIsRefusedUnshown(t *testing.T) {
	system.MockInit()
	require.NoError(t, system.Set("ttai", "vault", "hunter2"))
	_, err := keyring.Open("ttai", "vault")
	var invalid *vault.FieldError
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), "hunter2")
}
