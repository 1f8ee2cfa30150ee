package notify

import (
	"context"
	"net/netip"
)

// Direct sends one message now, past the queue.
func (s *Service) Direct(ctx context.Context, d Delivery) error { return s.send(ctx, d) }

// Public tells whether an address is one of the open network.
func Public(ip netip.Addr) bool { return public(ip) }

// Fit is fit without escapes.
func Fit(text string, limit int) string { return fit(text, limit, asItIs, countRaw) }

// FitDiscord and FitTelegram are fit with the escapes of these.
func FitDiscord(text string, limit int) string {
	return fit(clean(text), limit, discordEscape, countEscaped)
}

// TelegramHTML is telegramHTML.
func TelegramHTML(m Message, limit int) string { return telegramHTML(m, limit, true) }
