package redis

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/ttai-go/ttai/storage"
)

type limiter struct {
	store *Store
	root  string
}

// takeScript is storage.GCRA, with the arrival time stored as seconds and
// nanoseconds, because a Lua number does not hold both exactly. KEYS name. ARGV
// what is taken and what is allowed in nanoseconds. It returns how many
// nanoseconds the stored arrival time is ahead, before anything was taken.
var takeScript = redis.NewScript(`
local t = redis.call('TIME')
local seconds, nanos = tonumber(t[1]), tonumber(t[2]) * 1000
local taken, full = tonumber(ARGV[1]), tonumber(ARGV[2])
local behind = 0
local stored = redis.call('GET', KEYS[1])
if stored then
	local s, n = string.match(stored, '^(%d+) (%d+)$')
	behind = math.max(0, (tonumber(s) - seconds) * 1000000000 + (tonumber(n) - nanos))
end
local next = behind + taken
if next <= full + 1 then
	next = math.ceil(next)
	local n = nanos + next
	local carry = math.floor(n / 1000000000)
	redis.call('SET', KEYS[1], string.format('%.0f %.0f', seconds + carry, n - carry * 1000000000), 'PX', string.format('%.0f', math.ceil(next / 1000000) + 1))
end
return string.format('%.0f', behind)
`)

func (l *limiter) Take(ctx context.Context, name string, limit storage.Limit, n int) (storage.Decision, error) {
	const doing = "asking for a rate"
	if err := ctx.Err(); err != nil {
		return storage.Decision{}, err
	}
	if err := storage.CheckTake(name, limit, n); err != nil {
		return storage.Decision{}, err
	}
	burst := limit.Burst
	if burst == 0 {
		burst = limit.Rate
	}
	interval := limit.Interval()
	exactly := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	out, err := l.store.eval(ctx, doing, takeScript, []string{l.root + name}, exactly(interval*float64(n)), exactly(interval*float64(burst)))
	if err != nil {
		return storage.Decision{}, err
	}
	text, ok := out.(string)
	behind, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return storage.Decision{}, unexpected(doing, out)
	}
	// The rule depends on the difference of the two times alone.
	_, decision := storage.GCRA(behind, 0, limit, n)
	return decision, nil
}
