package simulator

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A memoryListener is a net.Listener whose connections never leave the process.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := newMemoryPipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memoryAddr{}, Err: errors.New("the simulator is closed")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "simulator" }

// memoryBuffer is how many bytes each direction of a memory connection holds
// before a writer waits, about what a socket holds. Without it, two sides that
// write at the same moment would wait for each other.
const memoryBuffer = 64 << 10

// newMemoryPipe returns the two ends of a connection.
func newMemoryPipe() (net.Conn, net.Conn) {
	a, b := newHalfPipe(), newHalfPipe()
	return &memoryConn{in: a, out: b}, &memoryConn{in: b, out: a}
}

type memoryConn struct{ in, out *halfPipe }

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *memoryConn) LocalAddr() net.Addr         { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr        { return memoryAddr{} }

func (c *memoryConn) Close() error {
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.in.readDeadline.set(t)
	c.out.writeDeadline.set(t)
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.readDeadline.set(t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.writeDeadline.set(t)
	return nil
}

// A halfPipe is one direction of a connection.
type halfPipe struct {
	mu           sync.Mutex
	change       sync.Cond
	data         []byte
	writerClosed bool
	readerClosed bool

	readDeadline, writeDeadline pipeDeadline
}

func newHalfPipe() *halfPipe {
	p := &halfPipe{}
	p.change.L = &p.mu
	p.readDeadline.pipe, p.writeDeadline.pipe = p, p
	return p
}

func (p *halfPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readerClosed:
			return 0, net.ErrClosed
		case p.readDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(p.data) > 0:
			n := copy(b, p.data)
			p.data = p.data[n:]
			if len(p.data) == 0 {
				p.data = nil
			}
			p.change.Broadcast()
			return n, nil
		case p.writerClosed:
			return 0, io.EOF
		}
		p.change.Wait()
	}
}

func (p *halfPipe) write(b []byte) (written int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.writerClosed:
			return written, net.ErrClosed
		case p.readerClosed:
			return written, io.ErrClosedPipe
		case p.writeDeadline.passed:
			return written, os.ErrDeadlineExceeded
		case len(b) == 0:
			return written, nil
		}
		if room := memoryBuffer - len(p.data); room > 0 {
			n := min(room, len(b))
			p.data = append(p.data, b[:n]...)
			b = b[n:]
			written += n
			p.change.Broadcast()
			continue
		}
		p.change.Wait()
	}
}

func (p *halfPipe) closeRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readerClosed = true
	p.data = nil
	p.readDeadline.stop()
	p.change.Broadcast()
}

func (p *halfPipe) closeWrite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writerClosed = true
	p.writeDeadline.stop()
	p.change.Broadcast()
}

// A pipeDeadline wakes its pipe when it passes.
type pipeDeadline struct {
	pipe   *halfPipe
	timer  *time.Timer
	round  int // tells an old timer that fires late from the current one
	passed bool
}

func (d *pipeDeadline) set(t time.Time) {
	d.pipe.mu.Lock()
	defer d.pipe.mu.Unlock()
	d.stop()
	d.passed = false
	if !t.IsZero() {
		wait := time.Until(t)
		if wait <= 0 {
			d.passed = true
		} else {
			round := d.round
			d.timer = time.AfterFunc(wait, func() { d.fire(round) })
		}
	}
	d.pipe.change.Broadcast()
}

func (d *pipeDeadline) fire(round int) {
	d.pipe.mu.Lock()
	defer d.pipe.mu.Unlock()
	if d.round == round {
		d.passed = true
		d.pipe.change.Broadcast()
	}
}

// stop forgets the timer, with the pipe locked.
func (d *pipeDeadline) stop() {
	d.round++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
