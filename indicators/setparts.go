package indicators

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A recipe says how an indicator is made of others of the registry, which a
// [Set] computes once for all that need them. It gives the same bits.
type recipe struct {
	parts func(p []float64) []part
	// build makes the rest. Its step gets the indicator's inputs, which are
	// known, and then the first output of each part, unknown while that warms up.
	build func(b *bank, p []float64) step
}

// A part is an indicator with its parameters; its inputs are among those of the whole.
type part struct {
	name   string
	params []float64
}

func averageRange(at int) func(p []float64) []part {
	return func(p []float64) []part { return []part{{"ATR", p[at : at+1]}} }
}

func average(name string) func(p []float64) []part {
	return func(p []float64) []part { return []part{{name, p[:1]}} }
}

func twoAverages(p []float64) []part { return []part{{"EMA", p[:1]}, {"EMA", p[1:2]}} }

func channel(middle string) func(p []float64) []part {
	return func(p []float64) []part { return []part{{middle, p[:1]}, {"ATR", p[2:3]}} }
}

// oscillator is the difference of two averages with its signal line.
func oscillator(scale func(fast, slow float64) float64) func(b *bank, p []float64) step {
	return func(b *bank, p []float64) step {
		e := b.ema(int(p[2]))
		return func(in, out []float64) {
			out[0] = scale(in[1], in[2])
			out[1] = e.push(out[0])
			out[2] = out[0] - out[1]
		}
	}
}

// recipes are those of the indicators whose parts others have too. It is never
// written to.
var recipes = map[string]recipe{
	"NATR": {averageRange(0), func(*bank, []float64) step {
		return func(in, out []float64) { out[0] = over(100*in[3], in[2], nan()) }
	}},
	"Keltner": {channel("EMA"), func(_ *bank, p []float64) step {
		return func(in, out []float64) {
			width := float64(p[1] * in[4])
			out[0], out[1], out[2], out[3] = in[3]+width, in[3], in[3]-width, over(2*width, in[3], nan())
		}
	}},
	"STARC": {channel("SMA"), func(_ *bank, p []float64) step {
		return func(in, out []float64) {
			width := float64(p[1] * in[4])
			out[0], out[1], out[2] = in[3]+width, in[3], in[3]-width
		}
	}},
	"Aberration": {averageRange(1), func(b *bank, p []float64) step {
		e := b.mean(int(p[0]))
		return func(in, out []float64) {
			m := e.push((in[0] + in[1] + in[2]) / 3)
			out[0], out[1], out[2], out[3] = m+in[3], m, m-in[3], in[3]
		}
	}},
	"Chandelier": {averageRange(0), func(b *bank, p []float64) step {
		h, l := b.highest(int(p[0])), b.lowest(int(p[0]))
		return func(in, out []float64) {
			width := float64(p[1] * in[3])
			out[0], out[1] = h.push(in[0])-width, l.push(in[1])+width
		}
	}},
	"ATRStop": {averageRange(0), func(b *bank, p []float64) step {
		s := b.stops()
		return func(in, out []float64) {
			out[4] = in[3]
			s.write(in[2], float64(p[1]*in[3]), in[2], out)
		}
	}},
	"SuperTrend": {averageRange(0), func(b *bank, p []float64) step {
		s := b.stops()
		return func(in, out []float64) { s.write((in[0]+in[1])/2, float64(p[1]*in[3]), in[2], out) }
	}},
	"ElderRay": {average("EMA"), func(*bank, []float64) step {
		return func(in, out []float64) { out[0], out[1], out[2] = in[3], in[0]-in[3], in[1]-in[3] }
	}},
	"MAEnvelopes": {average("SMA"), func(_ *bank, p []float64) step {
		return func(in, out []float64) {
			width := float64(in[1] * p[1] / 100)
			out[0], out[1], out[2] = in[1]+width, in[1], in[1]-width
		}
	}},
	"BIAS": {average("SMA"), func(*bank, []float64) step {
		return func(in, out []float64) { out[0] = over(in[0], in[1], nan()) - 1 }
	}},
	"APO": {twoAverages, func(*bank, []float64) step {
		return func(in, out []float64) { out[0] = in[1] - in[2] }
	}},
	"MACD": {twoAverages, oscillator(func(fast, slow float64) float64 { return fast - slow })},
	"PPO":  {twoAverages, oscillator(func(fast, slow float64) float64 { return over(100*(fast-slow), slow, nan()) })},
}

// assemble returns the node of an indicator made of parts. A part counts a bar
// as unknown when the whole does, so that it is what the whole would have kept.
func (b *setBuilder) assemble(r recipe, d Indicator, params []float64, f *frame, from []int, running bool) (*node, error) {
	key := fmt.Sprint(d.Name, params, from, running, "of parts")
	if n, ok := b.nodes[key]; ok {
		return n, nil
	}
	stream, err := d.Stream(params) // for its warm-up
	if err != nil {
		return nil, err
	}
	all := slices.Clone(from)
	for _, p := range r.parts(params) {
		indicator, err := Find(p.name)
		if err != nil {
			return nil, err
		}
		var inputs []int
		for _, name := range indicator.Inputs {
			inputs = append(inputs, from[slices.Index(d.Inputs, name)])
		}
		n, err := b.node(indicator, p.params, f, inputs, from, running)
		if err != nil {
			return nil, err
		}
		all = append(all, n.at)
	}
	m := newMachine(d.Name, r.build, params, stream.Warmup())
	n := &node{stream: &m, parts: &m, gate: from, from: all, running: running, warmup: m.warmup}
	b.place(n, key, f, len(d.Outputs))
	return n, nil
}

func appendFloats(data []byte, values []float64) []byte {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

func takeFloats(values []float64, data []byte) ([]byte, bool) {
	if len(data) < 8*len(values) {
		return nil, false
	}
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return data[8*len(values):], true
}

func appendSized(data, part []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(data, uint64(len(part))), part...)
}

func takeSized(data []byte) (part, rest []byte, ok bool) {
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
		return nil, nil, false
	}
	size := int(binary.LittleEndian.Uint64(data))
	return data[8 : 8+size], data[8+size:], true
}
