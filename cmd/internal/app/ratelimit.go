package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/tastytrade"
)

// limiter keeps the broker's rates with all processes that use the credential and
// this store, and alone when there is no store or it has no limiter.
func (s *Store) limiter(credential string) tastytrade.Limiter {
	if s == nil {
		return tastytrade.NewLimiter()
	}
	tenant, err := s.For(storage.Local)
	if err != nil {
		return tastytrade.NewLimiter()
	}
	sum := sha256.Sum256([]byte(credential))
	name := "tastytrade/" + hex.EncodeToString(sum[:8])
	return tastytrade.NewSharedLimiter(func(ctx context.Context, family string, perSecond int) (time.Duration, error) {
		shared, err := tenant.Limiter() // opens the store at the first request
		if err != nil {
			return 0, err
		}
		d, err := shared.Take(ctx, name+family, storage.Limit{Rate: perSecond, Per: time.Second, Burst: 1}, 1)
		return d.Wait, err
	})
}
