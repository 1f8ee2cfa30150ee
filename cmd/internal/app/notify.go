package app

import (
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/notify/webpush"
)

// pushSubject is whom push services are told to ask about this program's pushes.
const pushSubject = "https://github.com/ttai-go/ttai"

// NotifyOptions returns the settings of a tenant's notifications that all programs
// share: its vault, and web push with the keys that lie there.
func (s *Store) NotifyOptions(tenant storage.TenantID) (*notify.Options, error) {
	v, err := s.Vault(tenant)
	if err != nil {
		return nil, err
	}
	push, err := webpush.FromVault(v, webpush.Options{Subject: pushSubject})
	if err != nil {
		return nil, err
	}
	return &notify.Options{Vault: v, Senders: map[notify.Kind]notify.Sender{notify.WebPush: push}}, nil
}
