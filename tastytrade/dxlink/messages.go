package dxlink

import "encoding/json"

// inbound is every message of the server but most FEED_DATA: the fields of all
// types together.
type inbound struct {
	Type    string `json:"type"`
	Channel int    `json:"channel"`

	KeepaliveTimeout float64 `json:"keepaliveTimeout"` // SETUP, seconds

	State string `json:"state"` // AUTH_STATE

	DataFormat  string              `json:"dataFormat"` // FEED_CONFIG
	EventFields map[string][]string `json:"eventFields"`

	Data json.RawMessage `json:"data"` // FEED_DATA

	depthSnapshot // DOM_SNAPSHOT

	Error   string `json:"error"` // ERROR
	Message string `json:"message"`
}

type setupMessage struct {
	Type                   string  `json:"type"`
	Channel                int     `json:"channel"`
	Version                string  `json:"version"`
	KeepaliveTimeout       float64 `json:"keepaliveTimeout"`
	AcceptKeepaliveTimeout float64 `json:"acceptKeepaliveTimeout"`
}

type authMessage struct {
	Type    string `json:"type"`
	Channel int    `json:"channel"`
	Token   string `json:"token"`
}

// plainMessage is KEEPALIVE and CHANNEL_CANCEL.
type plainMessage struct {
	Type    string `json:"type"`
	Channel int    `json:"channel"`
}

type channelRequest struct {
	Type       string `json:"type"`
	Channel    int    `json:"channel"`
	Service    string `json:"service"`
	Parameters any    `json:"parameters"`
}

type feedSetup struct {
	Type                    string              `json:"type"`
	Channel                 int                 `json:"channel"`
	AcceptAggregationPeriod float64             `json:"acceptAggregationPeriod"`
	AcceptDataFormat        DataFormat          `json:"acceptDataFormat"`
	AcceptEventFields       map[string][]string `json:"acceptEventFields"`
}

type feedSubscription struct {
	Type    string      `json:"type"`
	Channel int         `json:"channel"`
	Add     []feedEntry `json:"add,omitempty"`
	Remove  []feedEntry `json:"remove,omitempty"`
}

type feedEntry struct {
	Type     string `json:"type"`
	Symbol   string `json:"symbol"`
	FromTime int64  `json:"fromTime,omitempty"` // Unix milliseconds; 0: no history
	Source   string `json:"source,omitempty"`   // of an order book
}
