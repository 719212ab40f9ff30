package report

import (
	"encoding/json"
	"slices"
	"time"
)

// Spread is how long something took: how many there were, half of them at most, nine of ten at most, the longest.
type Spread struct {
	N             int
	P50, P90, Max time.Duration
	bars          [len(limits) + 1]int // how many took at most that limit, and more than any
}

// limits are those of the bars in the drawing.
var limits = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour}

func spreadOf(rows []*Row, took func(*Row) (time.Duration, bool)) (s Spread) {
	var all []time.Duration
	for _, row := range rows {
		d, known := took(row)
		if !known {
			continue
		}
		all = append(all, d)
		i := 0
		for i < len(limits) && d > limits[i] {
			i++
		}
		s.bars[i]++
	}
	if s.N = len(all); s.N == 0 {
		return s
	}
	slices.Sort(all)
	// The nearest rank, so that each figure is one that was measured.
	at := func(percent int) time.Duration { return all[(len(all)*percent+99)/100-1] }
	s.P50, s.P90, s.Max = at(50), at(90), at(100)
	return s
}

// MarshalJSON gives durations in seconds.
func (s Spread) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		N   int     `json:"n"`
		P50 float64 `json:"p50_seconds"`
		P90 float64 `json:"p90_seconds"`
		Max float64 `json:"max_seconds"`
	}{s.N, s.P50.Seconds(), s.P90.Seconds(), s.Max.Seconds()})
}
