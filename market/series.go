package market

import "time"

// A Series is bars as columns of equal length, the shape that indicators and
// levels take.
type Series struct {
	Symbol                         Symbol
	Interval                       Interval
	Time                           []time.Time
	Open, High, Low, Close, Volume []float64
}

// NewSeries copies bars into columns.
func NewSeries(symbol Symbol, interval Interval, bars []Bar) Series {
	n := len(bars)
	columns := make([]float64, 5*n)
	s := Series{
		Symbol: symbol, Interval: interval, Time: make([]time.Time, n),
		Open: columns[0:n:n], High: columns[n : 2*n : 2*n], Low: columns[2*n : 3*n : 3*n], Close: columns[3*n : 4*n : 4*n], Volume: columns[4*n:],
	}
	for i, b := range bars {
		s.Time[i], s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i] = b.Time, b.Open, b.High, b.Low, b.Close, b.Volume
	}
	return s
}

// Len returns the number of bars.
func (s Series) Len() int { return len(s.Time) }

// Bar returns bar i.
func (s Series) Bar(i int) Bar {
	return Bar{Time: s.Time[i], Open: s.Open[i], High: s.High[i], Low: s.Low[i], Close: s.Close[i], Volume: s.Volume[i]}
}

// Slice returns bars [from, to) without copying.
func (s Series) Slice(from, to int) Series {
	return Series{
		Symbol: s.Symbol, Interval: s.Interval, Time: s.Time[from:to],
		Open: s.Open[from:to], High: s.High[from:to], Low: s.Low[from:to], Close: s.Close[from:to], Volume: s.Volume[from:to],
	}
}
