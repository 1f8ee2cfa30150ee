package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
	"github.com/ttai-go/ttai/workflow/monitor/rss"
	"github.com/ttai-go/ttai/workflow/notify"
)

// openMonitor opens what watches rules on the streams. Rules lie in the store: those
// of a chat, of 'ttai alerts' and of the settings are the same to it.
func (h *house) openMonitor() error {
	o := &monitor.Options{
		Market: h.opened.Market, Clock: h.clock, Calendar: h.opened.Calendar, Logger: h.logger,
		Core:   monitor.CoreOptions{Rate: h.opened.Rate},
		Notify: func(ctx context.Context, _ storage.TenantID, n monitor.Notice) error { return h.tell(ctx, noticeOf(n)) },
	}
	if stream, ok := h.opened.Market.(market.Streamer); ok {
		o.Stream = stream
	}
	var err error
	if o.News, err = h.newsSources(); err != nil {
		return err
	}
	engine, err := monitor.New(o)
	if err != nil {
		return err
	}
	h.monitor = engine
	return engine.AddTenant(monitor.Member{ID: h.tenant.ID(), Store: h.tenant, Broker: h.account})
}

// newsFeed is where a simulator elsewhere serves its news.
const newsFeed = "/simulator/news.rss"

// newsSources are the broker's news, when it has any, the simulator's, and those of
// the settings. They are opened once.
func (h *house) newsSources() ([]monitor.NewsSource, error) {
	var err error
	if h.news == nil {
		h.news, err = h.openNews()
	}
	return h.news, err
}

func (h *house) openNews() ([]monitor.NewsSource, error) {
	var all []monitor.NewsSource
	if news, ok := h.opened.Market.(market.NewsSource); ok {
		all = append(all, news)
	}
	if h.opened.News != nil {
		all = append(all, h.opened.News)
	}
	agent := "ttai/" + app.Version()
	if h.opened.Environment == broker.Simulator && h.cli.URL != "" {
		source, err := rss.New(strings.TrimSuffix(h.cli.URL, "/")+newsFeed, &rss.Options{Categories: true, UserAgent: agent})
		if err != nil {
			return nil, err
		}
		all = append(all, source)
	}
	for i, feed := range h.jobs.News {
		if feed.Kind == app.NewsAlpaca {
			source, err := h.alpacaNews()
			if err != nil {
				return nil, app.Usage(fmt.Errorf("config.json, jobs.news[%d]: %w", i, err))
			}
			all = append(all, source)
			continue
		}
		symbols := make([]market.Symbol, len(feed.Symbols))
		for j, s := range feed.Symbols {
			symbols[j] = market.Symbol(strings.ToUpper(s))
		}
		source, err := rss.New(feed.URL, &rss.Options{Name: feed.Name, Symbols: symbols, UserAgent: agent})
		if err != nil {
			return nil, app.Usage(fmt.Errorf("config.json, jobs.news[%d]: %w", i, err))
		}
		all = append(all, source)
	}
	return all, nil
}

// alpacaNews are Alpaca's articles, by REST and stream, with the tenant's own key. They
// are read with it and nothing else is: an adapter that is only asked for news trades
// nothing.
func (h *house) alpacaNews() (monitor.NewsSource, error) {
	grant, found, err := h.sources.AlpacaGrant(h.cli.StoreFlags, string(h.opened.Environment), h.tenant.ID())
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, invalid.Missing("TTAI_ALPACA_KEY_ID", "a key pair for Alpaca: with TTAI_ALPACA_SECRET in variables, or in the vault, where 'ttai login --alpaca' puts it")
	}
	options := h.cli.Alpaca
	options.Credentials = alpaca.Static(alpaca.Credentials{KeyID: grant.ID, Secret: grant.Secret})
	options.Logger, options.UserAgent = h.logger, "ttai/"+app.Version()
	adapter, err := alpaca.New(&alpaca.Options{Client: options, Calendar: h.opened.Calendar})
	if err != nil {
		return nil, err
	}
	h.closing(adapter.Close)
	return adapter, nil
}

// noticeOf is a notice of the monitor as people are told it.
func noticeOf(n monitor.Notice) notify.Notification {
	out := notify.Notification{
		User: n.User, Key: n.Key, Topic: n.Topic, Urgency: notify.Urgency(n.Urgency), Time: n.Time, Title: n.Title, Text: n.Text, Link: n.Link,
	}
	for _, f := range n.Facts {
		out.Facts = append(out.Facts, notify.Fact{Name: f.Name, Value: f.Value})
	}
	return out
}

// What the settings' alerts became in the store, so that each is added once and
// goes when it is taken out of the settings.
const (
	alertsSpace = "scheduler"
	alertsKey   = "alerts-of-settings"
	alertsLock  = "scheduler/alerts-of-settings"
	// settingsAlert begins the ids of the rules.
	settingsAlert = "settings-"
)

// wantedAlerts reads the alerts of the settings, by a hash of what they say.
func (h *house) wantedAlerts() (map[string]monitor.Rule, error) {
	wanted := map[string]monitor.Rule{}
	for i, raw := range h.jobs.Alerts {
		rule, err := monitor.ParseRule(raw)
		if err != nil {
			return nil, app.Usage(fmt.Errorf("config.json, jobs.alerts[%d]: %w", i, err))
		}
		data, err := json.Marshal(rule)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		wanted[hex.EncodeToString(sum[:16])] = rule
	}
	return wanted, nil
}

// configureAlerts brings the alerts of the settings into the store.
func (h *house) configureAlerts(ctx context.Context) error {
	wanted, err := h.wantedAlerts()
	if err != nil {
		return err
	}
	kv, err := h.tenant.KV(alertsSpace)
	if err != nil {
		return err
	}
	rules, err := monitor.OpenRules(h.tenant)
	if err != nil {
		return err
	}
	locks, err := h.tenant.Locks()
	if err != nil {
		return err
	}
	return storage.Hold(ctx, locks, alertsLock, 10*time.Second, func(ctx context.Context, _ storage.Lease) error {
		known := map[string]string{} // the rules' ids
		kept, err := kv.Get(ctx, alertsKey)
		if err == nil {
			err = json.Unmarshal(kept.Data, &known)
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		changed := false
		for sum, id := range known {
			if _, still := wanted[sum]; still {
				continue
			}
			if err := rules.Remove(ctx, id); err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			delete(known, sum)
			changed = true
		}
		for sum, rule := range wanted {
			if _, there := known[sum]; there {
				continue
			}
			// The id is the settings': a process that died before it wrote down what it had
			// added is followed by one that finds it there.
			id := settingsAlert + sum[:20]
			if _, err := rules.AddAs(ctx, id, user, rule); err != nil && !errors.Is(err, storage.ErrConflict) {
				return err
			}
			known[sum] = id
			changed = true
		}
		if !changed {
			return nil
		}
		data, err := json.Marshal(known)
		if err != nil {
			return err
		}
		return kv.Put(ctx, alertsKey, data, 0)
	})
}
