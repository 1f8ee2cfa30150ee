package redis

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ttai-go/ttai/storage"
)

// A space is four kinds of keys:
//
//	values + key   the version in decimal, a colon, and the data; expires by itself
//	index          a sorted set of all keys, in byte order, for listing them
//	expiries       a sorted set of the keys that expire, by when in milliseconds
//	versions       the last version given out
//
// Redis drops an expired value without telling the index, so each write takes
// some that have expired out of it: twice as many as it can add.
type space struct {
	store                             *Store
	values, index, expiries, versions string
}

// counting is the beginning of the scripts that give out a number: greater than
// any before, and not less than the time in microseconds.
const counting = `
local t = redis.call('TIME')
local micros = t[1] * 1000000 + t[2]
local function count(key)
	local n = redis.call('INCR', key)
	if n < micros then
		n = micros
		redis.call('SET', key, string.format('%.0f', n))
	end
	return string.format('%.0f', n)
end
`

// putScript: KEYS value, index, expiries, versions. ARGV key, data, ttl in
// milliseconds, the expected version or '*' for any, the values' prefix. It
// returns the new version, or false when another one is there.
var putScript = redis.NewScript(counting + `
local key, data, ttl, expected = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = math.floor(micros / 1000)
if expected ~= '*' then
	local old = redis.call('GETRANGE', KEYS[1], 0, 20)
	if (string.match(old, '^(%d+):') or '0') ~= expected then
		return false
	end
end
local version = count(KEYS[4])
if ttl > 0 then
	redis.call('SET', KEYS[1], version .. ':' .. data, 'PXAT', string.format('%.0f', now + ttl))
	redis.call('ZADD', KEYS[3], string.format('%.0f', now + ttl), key)
else
	redis.call('SET', KEYS[1], version .. ':' .. data)
	redis.call('ZREM', KEYS[3], key)
end
redis.call('ZADD', KEYS[2], 0, key)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 2)) do
	redis.call('DEL', ARGV[5] .. old)
	redis.call('ZREM', KEYS[2], old)
	redis.call('ZREM', KEYS[3], old)
end
return version
`)

// deleteScript: KEYS value, index, expiries. ARGV key.
var deleteScript = redis.NewScript(`
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`)

// keysScript: KEYS index, expiries. ARGV the bounds of a page and its size. It
// returns the last key looked at, followed by those that have not expired.
var keysScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local keys = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
if #keys == 0 then
	return {}
end
local scores = redis.call('ZMSCORE', KEYS[2], unpack(keys))
local out = {keys[#keys]}
for i, key in ipairs(keys) do
	if not scores[i] or tonumber(scores[i]) > now then
		out[#out + 1] = key
	end
end
return out
`)

func (s *space) Get(ctx context.Context, key string) (storage.Value, error) {
	const doing = "reading a value"
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return storage.Value{}, err
	}
	if err := s.store.usable(); err != nil {
		return storage.Value{}, err
	}
	stored, err := s.store.client.Get(ctx, s.values+key).Bytes()
	if err != nil {
		return storage.Value{}, s.store.translated(ctx, doing, err)
	}
	version, data, ok := bytes.Cut(stored, []byte(":"))
	n, err := strconv.ParseUint(string(version), 10, 64)
	if !ok || err != nil || n == 0 {
		return storage.Value{}, fmt.Errorf("redis: %s: %w", doing, storage.ErrCorrupt)
	}
	return storage.Value{Data: data, Version: storage.Version(n)}, nil
}

func (s *space) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	_, err := s.put(ctx, key, "*", data, ttl)
	return err
}

func (s *space) CompareAndSet(ctx context.Context, key string, expected storage.Version, data []byte, ttl time.Duration) (storage.Version, error) {
	return s.put(ctx, key, strconv.FormatUint(uint64(expected), 10), data, ttl)
}

func (s *space) put(ctx context.Context, key, expected string, data []byte, ttl time.Duration) (storage.Version, error) {
	const doing = "storing a value"
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return storage.NoVersion, err
	}
	out, err := s.store.eval(ctx, doing, putScript, []string{s.values + key, s.index, s.expiries, s.versions}, key, data, milliseconds(ttl), expected, s.values)
	if err != nil {
		if kindOf(err) == storage.ErrNotFound { // what a script's false becomes
			return storage.NoVersion, fmt.Errorf("redis: %s: %w", doing, storage.ErrConflict)
		}
		return storage.NoVersion, err
	}
	text, ok := out.(string)
	version, err := strconv.ParseUint(text, 10, 64)
	if !ok || err != nil {
		return storage.NoVersion, unexpected(doing, out)
	}
	return storage.Version(version), nil
}

// milliseconds rounds up: a time to live is never cut to nothing.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

func (s *space) Delete(ctx context.Context, key string) error {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return err
	}
	_, err := s.store.eval(ctx, "deleting a value", deleteScript, []string{s.values + key, s.index, s.expiries}, key)
	return err
}

// keysPage is how many keys one request lists.
const keysPage = 1000

func (s *space) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		from, to := "-", "+"
		if prefix != "" {
			from = "[" + prefix
			if end := after(prefix); end != "" {
				to = "(" + end
			}
		}
		for {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			out, err := s.store.eval(ctx, "listing keys", keysScript, []string{s.index, s.expiries}, from, to, keysPage)
			if err != nil {
				yield("", err)
				return
			}
			page, _ := out.([]any)
			if len(page) == 0 {
				return
			}
			for i, item := range page {
				key, ok := item.(string)
				if !ok {
					yield("", unexpected("listing keys", item))
					return
				}
				if i == 0 {
					from = "(" + key
					continue
				}
				if err := ctx.Err(); err != nil {
					yield("", err)
					return
				}
				if !yield(key, nil) {
					return
				}
			}
		}
	}
}

// after returns the first text that comes after all that begin with prefix;
// empty when none does.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
