package sqlite

import (
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// A disk is a file system in memory that knows what would survive the loss of
// power: what was synced, and of the rest whatever a seed chooses. At a write or
// sync of the test's choice it fails.
type disk struct {
	mu    sync.Mutex
	files map[string]*file

	random *rand.Rand
	calls  int // writes, truncations and syncs so far
	fails  func(call int, sync bool) int32
	off    bool // the power is gone: nothing works
}

// A file is one file of a disk.
type file struct {
	now     []byte   // what programs see
	kept    []byte   // what was synced
	there   bool     // the name was synced: it is there after the loss of power
	pending []change // since then

	shared                       int
	reserved, claimed, exclusive *handle
	regions                      []uintptr
	slots                        [lib.SQLITE_SHM_NLOCK]slot
}

type change struct {
	at   int64
	data []byte // nil: the file was cut at that place
}

// A slot is a lock of a file's shared memory.
type slot struct {
	shared    int
	exclusive *handle
}

type handle struct {
	disk          *disk
	file          *file
	name          string
	level         int32
	shared, alone [lib.SQLITE_SHM_NLOCK]bool
}

func newDisk(random *rand.Rand) *disk { return &disk{files: map[string]*file{}, random: random} }

// after returns the disk as it is found when power comes back.
func (d *disk) after() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := newDisk(d.random)
	for name, f := range d.files {
		if !f.there && d.random.IntN(2) == 0 {
			continue
		}
		data := append([]byte{}, f.kept...)
		for _, c := range f.pending {
			data = c.survives(data, d.random)
		}
		out.files[name] = &file{now: data, kept: append([]byte{}, data...), there: true}
	}
	return out
}

// survives applies none, all or some sectors of a change.
func (c change) survives(data []byte, random *rand.Rand) []byte {
	how := random.IntN(3)
	if how == 0 {
		return data
	}
	if c.data == nil {
		return data[:min(int64(len(data)), c.at)]
	}
	const sector = 512
	for i := 0; i < len(c.data); i += sector {
		if how == 1 || random.IntN(2) == 0 {
			data = put(data, c.at+int64(i), c.data[i:min(i+sector, len(c.data))])
		}
	}
	return data
}

func put(data []byte, at int64, b []byte) []byte {
	if missing := at + int64(len(b)) - int64(len(data)); missing > 0 {
		data = append(data, make([]byte, missing)...)
	}
	copy(data[at:], b)
	return data
}

// copied returns a disk on which everything that is there is synced.
func (d *disk) copied(random *rand.Rand) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := newDisk(random)
	for name, f := range d.files {
		out.files[name] = &file{now: append([]byte{}, f.now...), kept: append([]byte{}, f.now...), there: true}
	}
	return out
}

// free gives shared memory back, once all handles are closed.
func (d *disk) free(tls *libc.TLS) {
	for _, f := range d.files {
		for _, r := range f.regions {
			libc.Xfree(tls, r)
		}
		f.regions = nil
	}
}

// fault counts a call and returns how it fails: 0 when it does not.
func (d *disk) fault(sync bool) int32 {
	call := d.calls
	d.calls++
	if d.off {
		return lib.SQLITE_IOERR
	}
	if d.fails == nil {
		return lib.SQLITE_OK
	}
	return d.fails(call, sync)
}

// A disks is SQLite's default file system while a test runs. It has one disk at a
// time.
type disks struct {
	tls     *libc.TLS
	vfs     *lib.Tsqlite3_vfs
	methods uintptr
	funcs   []any // what SQLite has addresses of

	mu      sync.Mutex
	disk    *disk
	handles map[uintptr]*handle
	last    uintptr
}

// at is the memory at an address that C handed over.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// address is what SQLite calls f by; f must be kept.
func address[F any](d *disks, f F) uintptr {
	kept := &f
	d.funcs = append(d.funcs, kept)
	return *(*uintptr)(unsafe.Pointer(kept))
}

// mount makes SQLite use d's disk for all files that are opened until the test
// ends. The test must not run beside others.
func mount(t testing.TB) *disks {
	d := &disks{tls: libc.NewTLS(), handles: map[uintptr]*handle{}}
	name, err := libc.CString("ttai-test-disk")
	require.NoError(t, err)
	usual := at[lib.Tsqlite3_vfs](lib.Xsqlite3_vfs_find(d.tls, 0))
	vfs := libc.Xcalloc(d.tls, 1, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
	d.methods = libc.Xcalloc(d.tls, 1, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
	*at[lib.Tsqlite3_io_methods](d.methods) = lib.Tsqlite3_io_methods{
		FiVersion: 2, FxClose: address(d, d.xClose), FxRead: address(d, d.xRead), FxWrite: address(d, d.xWrite), FxTruncate: address(d, d.xTruncate),
		FxSync: address(d, d.xSync), FxFileSize: address(d, d.xFileSize), FxLock: address(d, d.xLock), FxUnlock: address(d, d.xUnlock),
		FxCheckReservedLock: address(d, d.xCheckReservedLock), FxFileControl: address(d, d.xFileControl), FxSectorSize: address(d, d.xSectorSize),
		FxDeviceCharacteristics: address(d, d.xDeviceCharacteristics), FxShmMap: address(d, d.xShmMap), FxShmLock: address(d, d.xShmLock),
		FxShmBarrier: address(d, d.xShmBarrier), FxShmUnmap: address(d, d.xShmUnmap),
	}
	d.vfs = at[lib.Tsqlite3_vfs](vfs)
	*d.vfs = *usual
	d.vfs.FiVersion, d.vfs.FszOsFile, d.vfs.FpNext, d.vfs.FzName = 2, 16, 0, name
	d.vfs.FxOpen, d.vfs.FxDelete = address(d, d.xOpen), address(d, d.xDelete)
	d.vfs.FxAccess, d.vfs.FxFullPathname = address(d, d.xAccess), address(d, d.xFullPathname)
	require.Zero(t, lib.Xsqlite3_vfs_register(d.tls, vfs, 1))
	t.Cleanup(func() {
		require.Zero(t, lib.Xsqlite3_vfs_unregister(d.tls, vfs))
		require.Empty(t, d.handles, "files that were not closed")
		for _, p := range []uintptr{name, vfs, d.methods} {
			libc.Xfree(d.tls, p)
		}
		d.tls.Close()
	})
	return d
}

// insert makes a disk the one on which files are opened.
func (d *disks) insert(next *disk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.disk != nil {
		d.disk.free(d.tls)
	}
	d.disk = next
}

// A cFile is what SQLite keeps of an open file.
type cFile struct{ methods, number uintptr }

func (d *disks) handle(p uintptr) *handle {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.handles[at[cFile](p).number]
}

func (d *disks) xOpen(_ *libc.TLS, _, zName, pFile uintptr, flags int32, pOut uintptr) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	*at[cFile](pFile) = cFile{}
	h := &handle{disk: d.disk, file: &file{}}
	if zName != 0 {
		h.name = libc.GoString(zName)
		f, ok := d.disk.files[h.name]
		if !ok {
			if flags&lib.SQLITE_OPEN_CREATE == 0 || d.disk.off {
				return lib.SQLITE_CANTOPEN
			}
			f = &file{}
			d.disk.files[h.name] = f
		}
		h.file = f
	}
	d.last++
	d.handles[d.last] = h
	*at[cFile](pFile) = cFile{d.methods, d.last}
	if pOut != 0 {
		*at[int32](pOut) = flags
	}
	return lib.SQLITE_OK
}

func (d *disks) xDelete(_ *libc.TLS, _, zName uintptr, _ int32) int32 {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	name := libc.GoString(zName)
	if _, ok := d.disk.files[name]; !ok {
		return lib.SQLITE_IOERR_DELETE_NOENT
	}
	if d.disk.off {
		return lib.SQLITE_IOERR_DELETE
	}
	delete(d.disk.files, name)
	return lib.SQLITE_OK
}

func (d *disks) xAccess(_ *libc.TLS, _, zName uintptr, _ int32, pOut uintptr) int32 {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	*at[int32](pOut) = 0
	if _, ok := d.disk.files[libc.GoString(zName)]; ok {
		*at[int32](pOut) = 1
	}
	return lib.SQLITE_OK
}

func (d *disks) xFullPathname(_ *libc.TLS, _, zName uintptr, n int32, zOut uintptr) int32 {
	name := libc.GoString(zName)
	if len(name) >= int(n) {
		return lib.SQLITE_CANTOPEN
	}
	copy(unsafe.Slice(at[byte](zOut), n), name+"\x00")
	return lib.SQLITE_OK
}

func (d *disks) xClose(_ *libc.TLS, p uintptr) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	h.unlock(lib.SQLITE_LOCK_NONE)
	h.unmap()
	h.disk.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.handles, at[cFile](p).number)
	return lib.SQLITE_OK
}

func (d *disks) xRead(_ *libc.TLS, p, zBuf uintptr, n int32, from int64) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.disk.off {
		return lib.SQLITE_IOERR_READ
	}
	b := unsafe.Slice(at[byte](zBuf), n)
	got := 0
	if from < int64(len(h.file.now)) {
		got = copy(b, h.file.now[from:])
	}
	if got < len(b) {
		clear(b[got:])
		return lib.SQLITE_IOERR_SHORT_READ
	}
	return lib.SQLITE_OK
}

func (d *disks) xWrite(_ *libc.TLS, p, zBuf uintptr, n int32, to int64) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	b := append([]byte{}, unsafe.Slice(at[byte](zBuf), n)...)
	rc := h.disk.fault(false)
	if rc != lib.SQLITE_OK {
		// A write that failed may have written some of it.
		b = b[:h.disk.random.IntN(len(b)+1)]
	}
	if len(b) > 0 {
		h.file.now = put(h.file.now, to, b)
		h.file.pending = append(h.file.pending, change{to, b})
	}
	return rc
}

func (d *disks) xTruncate(_ *libc.TLS, p uintptr, size int64) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if rc := h.disk.fault(false); rc != lib.SQLITE_OK {
		return rc
	}
	if size < int64(len(h.file.now)) {
		h.file.now = h.file.now[:size:size]
		h.file.pending = append(h.file.pending, change{at: size})
	}
	return lib.SQLITE_OK
}

func (d *disks) xSync(_ *libc.TLS, p uintptr, _ int32) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if rc := h.disk.fault(true); rc != lib.SQLITE_OK {
		return rc
	}
	f := h.file
	for _, c := range f.pending {
		if c.data == nil {
			f.kept = f.kept[:min(int64(len(f.kept)), c.at)]
		} else {
			f.kept = put(f.kept, c.at, c.data)
		}
	}
	f.pending, f.there = nil, true
	return lib.SQLITE_OK
}

func (d *disks) xFileSize(_ *libc.TLS, p, pOut uintptr) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	*at[int64](pOut) = int64(len(h.file.now))
	return lib.SQLITE_OK
}

func (d *disks) xLock(_ *libc.TLS, p uintptr, level int32) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return h.lock(level)
}

func (h *handle) lock(level int32) int32 {
	f := h.file
	other := func(x *handle) bool { return x != nil && x != h }
	if h.level >= level {
		return lib.SQLITE_OK
	}
	if h.level == lib.SQLITE_LOCK_NONE {
		if other(f.claimed) || other(f.exclusive) {
			return lib.SQLITE_BUSY
		}
		f.shared++
		h.level = lib.SQLITE_LOCK_SHARED
	}
	if level == lib.SQLITE_LOCK_SHARED {
		return lib.SQLITE_OK
	}
	if other(f.reserved) || other(f.claimed) {
		return lib.SQLITE_BUSY
	}
	f.reserved, h.level = h, max(h.level, lib.SQLITE_LOCK_RESERVED)
	if level == lib.SQLITE_LOCK_RESERVED {
		return lib.SQLITE_OK
	}
	f.claimed, h.level = h, lib.SQLITE_LOCK_PENDING
	if f.shared > 1 {
		return lib.SQLITE_BUSY
	}
	f.exclusive, h.level = h, lib.SQLITE_LOCK_EXCLUSIVE
	return lib.SQLITE_OK
}

func (d *disks) xUnlock(_ *libc.TLS, p uintptr, level int32) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.unlock(level)
	return lib.SQLITE_OK
}

func (h *handle) unlock(level int32) {
	if h.level <= level {
		return
	}
	for _, owner := range []**handle{&h.file.reserved, &h.file.claimed, &h.file.exclusive} {
		if *owner == h {
			*owner = nil
		}
	}
	if level == lib.SQLITE_LOCK_NONE {
		h.file.shared--
	}
	h.level = level
}

func (d *disks) xCheckReservedLock(_ *libc.TLS, p, pOut uintptr) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	*at[int32](pOut) = 0
	if h.file.reserved != nil {
		*at[int32](pOut) = 1
	}
	return lib.SQLITE_OK
}

func (d *disks) xFileControl(*libc.TLS, uintptr, int32, uintptr) int32 { return lib.SQLITE_NOTFOUND }
func (d *disks) xSectorSize(*libc.TLS, uintptr) int32                  { return 4096 }

// A write leaves the bytes beside it alone, as SQLite takes for granted of disks.
func (d *disks) xDeviceCharacteristics(*libc.TLS, uintptr) int32 {
	return lib.SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

func (d *disks) xShmMap(tls *libc.TLS, p uintptr, region, size, extend int32, pOut uintptr) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	*at[uintptr](pOut) = 0
	for int(region) >= len(h.file.regions) {
		if extend == 0 {
			return lib.SQLITE_OK
		}
		h.file.regions = append(h.file.regions, libc.Xcalloc(tls, 1, libc.Tsize_t(size)))
	}
	*at[uintptr](pOut) = h.file.regions[region]
	return lib.SQLITE_OK
}

func (d *disks) xShmLock(_ *libc.TLS, p uintptr, from, n, flags int32) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	slots := h.file.slots[from : from+n]
	alone := flags&lib.SQLITE_SHM_EXCLUSIVE != 0
	if flags&lib.SQLITE_SHM_LOCK != 0 {
		for i := range slots {
			s, mine := &slots[i], h.shared[int(from)+i]
			if s.exclusive != nil && s.exclusive != h || alone && (s.shared > 1 || s.shared == 1 && !mine) {
				return lib.SQLITE_BUSY
			}
		}
	}
	for i := range slots {
		h.hold(int(from)+i, flags&lib.SQLITE_SHM_LOCK != 0, alone)
	}
	return lib.SQLITE_OK
}

// hold takes or frees one slot of shared memory.
func (h *handle) hold(i int, take, alone bool) {
	s := &h.file.slots[i]
	switch {
	case take && alone:
		s.exclusive, h.alone[i] = h, true
	case take && !h.shared[i]:
		s.shared++
		h.shared[i] = true
	case !take && alone && h.alone[i]:
		s.exclusive, h.alone[i] = nil, false
	case !take && !alone && h.shared[i]:
		s.shared--
		h.shared[i] = false
	}
}

func (d *disks) xShmBarrier(_ *libc.TLS, p uintptr) {
	h := d.handle(p)
	h.disk.mu.Lock() // a lock is a barrier
	defer h.disk.mu.Unlock()
}

func (h *handle) unmap() {
	for i := range h.shared {
		h.hold(i, false, true)
		h.hold(i, false, false)
	}
}

func (d *disks) xShmUnmap(_ *libc.TLS, p uintptr, _ int32) int32 {
	h := d.handle(p)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.unmap()
	return lib.SQLITE_OK
}

// Without it a test of the disk could pass on the real one.
func TestTheDiskIsUsedAndForgetsWhatWasNotSynced(t *testing.T) {
	d := mount(t)
	d.insert(newDisk(rand.New(rand.NewPCG(1, 2))))
	path := t.TempDir() + "/ttai.db"
	s, err := Open(t.Context(), path, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size(), "nothing is in the real file")
	require.True(t, strings.HasPrefix(string(d.disk.files[path].kept), "SQLite format 3"))
	f := &file{now: []byte("ab"), kept: []byte("a"), there: true, pending: []change{{1, []byte("b")}}}
	d.disk.files = map[string]*file{"x": f}
	found := map[string]bool{}
	for range 100 {
		found[string(d.disk.after().files["x"].now)] = true
	}
	require.Equal(t, map[string]bool{"a": true, "ab": true}, found)
}
