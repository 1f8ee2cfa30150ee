package tasty

import (
	"sync"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
)

// sentTags are the tags that this adapter has sent, so that none is sent twice.
type sentTags struct {
	mu   sync.Mutex
	sent map[accountTag]bool
}

type accountTag struct {
	account broker.AccountID
	tag     string
}

// claim takes all tags of a ticket or, when one was sent before, none.
func (s *sentTags) claim(account broker.AccountID, ticket broker.Ticket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tag := range tagsOf(ticket) {
		if s.sent[accountTag{account, tag}] {
			return invalid.Field("Tag", tag, "a tag that was not sent before: look for the order that has it")
		}
	}
	if s.sent == nil {
		s.sent = map[accountTag]bool{}
	}
	for _, tag := range tagsOf(ticket) {
		s.sent[accountTag{account, tag}] = true
	}
	return nil
}

// release gives back the tags of orders that certainly do not exist.
func (s *sentTags) release(account broker.AccountID, ticket broker.Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tag := range tagsOf(ticket) {
		delete(s.sent, accountTag{account, tag})
	}
}
