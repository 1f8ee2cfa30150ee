package app

import "github.com/ttai-go/ttai/market"

// NewsSource returns where stories come from: the broker, or the embedded simulator.
// Nil when neither has any.
func (o *Opened) NewsSource() market.NewsSource {
	if news, ok := o.Market.(market.NewsSource); ok {
		return news
	}
	return o.News
}
