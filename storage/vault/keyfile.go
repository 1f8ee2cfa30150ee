package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ttai-go/ttai/internal/invalid"
)

// What opening a key file may say.
var (
	// ErrExposed: others than the owner may read the key file.
	ErrExposed = errors.New("vault: key file is readable by others")
	// ErrBusy: someone else is changing the key file.
	ErrBusy = errors.New("vault: key file is being changed")
)

// maxKeyFile bounds what is read: a thousand keys fit.
const maxKeyFile = 128 << 10

// A KeyFile is a [KeyWrapper] whose master keys lie in a file: one a line, the
// current one last. Keep it where the database is not, and in the backup where
// the database's backup is not: without the file nothing decrypts. It is safe
// for concurrent use, and notices by itself what other processes change.
//
// On Unix a file that its group or others may read is refused. Windows has no
// such mode: the file has the access rights of the folder in which it is
// created, so choose one below the user's profile.
type KeyFile struct {
	*LocalKeys
	path string
}

var _ KeyWrapper = (*KeyFile)(nil)

// CreateKeyFile writes a new file with one random key, readable by its owner
// only. The error is fs.ErrExist when there is one already.
func CreateKeyFile(path string) error {
	if path == "" {
		return invalid.Missing("path", "the path of a key file")
	}
	keys := NewMasterKeys()
	defer keys.Destroy()
	return writeKeyFile(path, keys, linkNew)
}

// linkNew gives a finished file its name: whole or not at all, and never in
// place of one that is there. A file system without links gets a copy.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	defer clear(text)
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// OpenKeyFile reads the master keys in a file. The error is fs.ErrNotExist
// when there is none, and ErrExposed when others may read it.
func OpenKeyFile(path string) (*KeyFile, error) {
	f := &KeyFile{path: path}
	var err error
	f.LocalKeys, err = LoadLocalKeys(context.Background(), func(context.Context) (MasterKeys, error) {
		return readKeyFile(path)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rotate adds a random key to the file, which is the current one from now on.
// Call [Vault.Rewrap] for each tenant afterwards, and Remove when all are done.
func (f *KeyFile) Rotate() error {
	return f.change(func(keys MasterKeys) (MasterKeys, error) { return keys.WithNew(), nil })
}

// Remove takes a key out of the file. Data keys that it still wraps are lost
// with it: [Vault.Keys] tells. The current key is refused with a *FieldError.
func (f *KeyFile) Remove(id string) error {
	return f.change(func(keys MasterKeys) (MasterKeys, error) { return keys.Without(id) })
}

// change replaces the file. A lock file keeps two processes from doing so at
// once, which could lose a key that is in use already.
func (f *KeyFile) change(change func(MasterKeys) (MasterKeys, error)) error {
	lock := f.path + ".lock"
	held, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: if no other program is doing so, one was cut off: delete %s", ErrBusy, lock)
	}
	if err != nil {
		return fmt.Errorf("vault: changing the key file: %w", err)
	}
	defer os.Remove(lock)
	defer held.Close()
	keys, err := readKeyFile(f.path)
	if err != nil {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	if err := writeKeyFile(f.path, keys, os.Rename); err != nil {
		return err
	}
	return f.Reload(context.Background())
}

func readKeyFile(path string) (MasterKeys, error) {
	file, err := os.Open(path)
	if err != nil {
		return MasterKeys{}, fmt.Errorf("vault: opening the key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat() // of the file that is read, not of what the path names by then
	if err != nil {
		return MasterKeys{}, fmt.Errorf("vault: opening the key file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return MasterKeys{}, invalid.Field("path", path, "a regular file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return MasterKeys{}, fmt.Errorf("%w: %s has mode %v; run chmod 600 on it, and rotate the key if anyone may have read it", ErrExposed, path, info.Mode().Perm())
	case info.Size() > maxKeyFile:
		return MasterKeys{}, invalid.Fieldf("path", path, "a key file of at most %d bytes", maxKeyFile)
	}
	text := make([]byte, info.Size())
	defer clear(text)
	n, err := io.ReadFull(file, text)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return MasterKeys{}, fmt.Errorf("vault: reading the key file: %w", err)
	}
	keys, err := ParseMasterKeys(text[:n])
	if err != nil {
		return MasterKeys{}, fmt.Errorf("vault: key file %s: %w", path, err)
	}
	return keys, nil
}

// writeKeyFile writes a file beside path, has it on disk, and puts it in place.
func writeKeyFile(path string, keys MasterKeys, place func(from, to string) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("vault: writing the key file: %w", err)
		}
	}()
	file, err := os.CreateTemp(filepath.Dir(path), ".ttai-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // a second name of the same file, or gone by then
	text, err := keys.Text()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	defer text.Destroy()
	err = text.Use(func(b []byte) error {
		_, err := file.Write(b)
		return err
	})
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := place(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder has a new name on disk. Windows cannot, and does by itself.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
