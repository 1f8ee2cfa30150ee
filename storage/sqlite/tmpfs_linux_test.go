package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// TestADiskThatIsReallyFullOrReadOnly runs itself in a mount namespace of its own,
// where it mounts a file system of two megabytes.
func TestADiskThatIsReallyFullOrReadOnly(t *testing.T) {
	const inside = "TTAI_TEST_TMPFS"
	if folder := os.Getenv(inside); folder != "" {
		fullThenReadOnly(t, folder)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestADiskThatIsReallyFullOrReadOnly$", "-test.v")
	folder := t.TempDir()
	cmd.Env = append(os.Environ(), inside+"="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "cannot mount") {
		t.Skipf("this system lets nobody mount: %v", err)
	}
	require.NoError(t, err, "%s", out)
}

func fullThenReadOnly(t *testing.T, folder string) {
	if err := errors.Join(syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m")); err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	defer func() { require.NoError(t, syscall.Unmount(folder, 0)) }()
	path, ballast := filepath.Join(folder, "ttai.db"), filepath.Join(folder, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 900<<10), 0o600))
	s, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	r := notes(t, s)
	written := 0
	for ; ; written++ {
		_, err := r.Write(t.Context(), note(fmt.Sprint("a", written), strings.Repeat("x", 20_000)), note(fmt.Sprint("b", written), "y"))
		if err != nil {
			require.ErrorIs(t, err, storage.ErrFull)
			break
		}
	}
	require.Greater(t, written, 3)
	for i := range written {
		for _, side := range []string{"a", "b"} {
			_, err := r.Get(t.Context(), "notes", fmt.Sprint(side, i))
			require.NoError(t, err, "reads go on, and what was acknowledged is there")
		}
	}
	_, err = r.Get(t.Context(), "notes", fmt.Sprint("b", written))
	require.ErrorIs(t, err, storage.ErrNotFound, "no half of what did not fit")
	require.NoError(t, os.Remove(ballast))
	_, err = r.Write(t.Context(), note("later", "z"))
	require.NoError(t, err, "it goes on once there is room")
	require.NoError(t, s.Close())

	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=2m"))
	_, err = sqlite.Open(t.Context(), path, nil)
	require.ErrorIs(t, err, storage.ErrReadOnly)
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, "size=2m"))
	s, err = sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	_, err = notes(t, s).Get(t.Context(), "notes", "later")
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
