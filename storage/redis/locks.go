package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ttai-go/ttai/storage"
)

type locks struct {
	store  *Store
	root   string
	tokens string // counts the leases of all names
}

// acquireScript: KEYS lock, tokens. ARGV ttl in milliseconds. It returns the
// token and the time at which the lease ends, or false when somebody has it.
var acquireScript = redis.NewScript(counting + `
if redis.call('EXISTS', KEYS[1]) == 1 then
	return false
end
local token = count(KEYS[2])
local ends = math.floor(micros / 1000) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], token, 'PXAT', string.format('%.0f', ends))
return {token, string.format('%.0f', ends)}
`)

// renewScript: KEYS lock. ARGV ttl in milliseconds, token. It returns as
// acquireScript, and false when the lease has ended.
var renewScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[2] then
	return false
end
local t = redis.call('TIME')
local ends = t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[1])
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends))
return {ARGV[2], string.format('%.0f', ends)}
`)

// releaseScript: KEYS lock. ARGV token.
var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
return 1
`)

func (l *locks) Acquire(ctx context.Context, name string, ttl time.Duration) (storage.Lease, error) {
	return l.lease(ctx, "taking a lock", name, ttl, storage.ErrHeld, acquireScript, []string{l.root + name, l.tokens}, milliseconds(ttl))
}

func (l *locks) Renew(ctx context.Context, lease storage.Lease, ttl time.Duration) (storage.Lease, error) {
	return l.lease(ctx, "renewing a lease", lease.Name, ttl, storage.ErrLeaseLost, renewScript, []string{l.root + lease.Name}, milliseconds(ttl), strconv.FormatUint(lease.Token, 10))
}

// lease runs a script that gives a lease; refused is what its false means.
func (l *locks) lease(ctx context.Context, doing, name string, ttl time.Duration, refused error, script *redis.Script, keys []string, args ...any) (storage.Lease, error) {
	if err := ctx.Err(); err != nil {
		return storage.Lease{}, err
	}
	if err := storage.CheckLock(name, ttl); err != nil {
		return storage.Lease{}, err
	}
	out, err := l.store.eval(ctx, doing, script, keys, args...)
	if err != nil {
		if kindOf(err) == storage.ErrNotFound {
			return storage.Lease{}, fmt.Errorf("redis: %s: %w", doing, refused)
		}
		return storage.Lease{}, err
	}
	var numbers [2]uint64
	fields, _ := out.([]any)
	if len(fields) != len(numbers) {
		return storage.Lease{}, unexpected(doing, out)
	}
	for i, field := range fields {
		text, _ := field.(string)
		if numbers[i], err = strconv.ParseUint(text, 10, 64); err != nil {
			return storage.Lease{}, unexpected(doing, field)
		}
	}
	return storage.Lease{Name: name, Token: numbers[0], Expires: time.UnixMilli(int64(numbers[1]))}, nil
}

func (l *locks) Release(ctx context.Context, lease storage.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := storage.CheckText("name", lease.Name, 256); err != nil {
		return err
	}
	_, err := l.store.eval(ctx, "releasing a lock", releaseScript, []string{l.root + lease.Name}, strconv.FormatUint(lease.Token, 10))
	return err
}
