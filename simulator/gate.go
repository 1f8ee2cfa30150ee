package simulator

import "sync"

// A gate counts who is inside and can be shut. The zero gate is open.
type gate struct {
	mu     sync.Mutex
	shut   bool
	inside int
	empty  chan struct{} // made by shutAndWait, closed by the last to leave
}

// enter reports whether the gate was open; then leave must be called.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// close shuts the gate; those inside stay.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// wait shuts the gate and returns when nobody is inside. It may be called once
// at a time.
func (g *gate) wait() {
	g.mu.Lock()
	g.shut = true
	if g.inside == 0 {
		g.mu.Unlock()
		return
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	<-empty
}
