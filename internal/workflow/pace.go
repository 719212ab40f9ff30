package workflow

import (
	"crypto/rand"
	"math/big"
	"time"
)

// pace says how an effect that failed is tried again.
type pace struct {
	first, most time.Duration // back-off
	age         time.Duration // after this it is parked; zero: never
	furthest    time.Duration // a due time further ahead than this is a mistake
}

var paces = map[string]pace{
	kindSubmit:   {first: time.Second, most: 30 * time.Second, furthest: time.Hour},
	kindDecide:   {first: time.Second, most: 15 * time.Second, furthest: time.Hour},
	kindCancel:   {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindRelease:  {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindWatch:    {first: time.Second, most: 30 * time.Second, furthest: time.Hour},
	kindConfirm:  {first: time.Second, most: time.Minute, furthest: 400 * 24 * time.Hour},
	kindCard:     {first: time.Second, most: 5 * time.Minute, age: 24 * time.Hour, furthest: time.Hour},
	kindTell:     {first: time.Second, most: 5 * time.Minute, age: 6 * time.Hour, furthest: time.Hour},
	kindLapse:    {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindEligible: {first: 2 * time.Second, most: time.Minute, age: 5 * time.Minute, furthest: time.Hour},
	kindLinks:    {first: time.Minute, most: time.Hour, furthest: time.Hour},
	kindSweep:    {first: 5 * time.Second, most: time.Minute, furthest: time.Hour},
}

// backoff doubles from first to most, with up to a quarter of jitter.
func backoff(p pace, tries int) time.Duration {
	d := p.first << min(tries-1, 12)
	if d > p.most || d <= 0 {
		d = p.most
	}
	return d + jitter(d/4)
}

// jitter draws a time up to most, so that what failed together does not come
// again together.
func jitter(most time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		return most // unreachable: the reader never fails
	}
	return time.Duration(n.Int64())
}
