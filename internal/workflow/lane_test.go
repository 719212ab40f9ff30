package workflow

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// TestLanesRunOneAtATimeAndNoneIsForgotten draws effects that become due, runs
// that end and lanes that are paused, and checks after each step what never
// may run side by side; in the end everything has run.
func TestLanesRunOneAtATimeAndNoneIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &laneStory{t: t, lanes: newLanes(), now: time.Unix(1_000_000, 0)}
		t.Repeat(map[string]func(*rapid.T){
			"due":   s.due,
			"start": s.start,
			"end":   s.end,
			"pause": s.pause,
			"pass": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
			},
			"": s.check,
		})
		for s.now = s.now.Add(time.Hour); ; {
			s.wake()
			s.start(t)
			if len(s.running) == 0 {
				break
			}
			s.running = s.finish(0)
		}
		if s.ran != s.added {
			t.Fatalf("%d effects of %d ran", s.ran, s.added)
		}
		s.lanes.prune(s.now)
		if len(s.lanes.by) != 0 || len(s.lanes.requests) != 0 {
			t.Fatalf("%d lanes and %d requests are left over", len(s.lanes.by), len(s.lanes.requests))
		}
	})
}

type laneStory struct {
	t          *rapid.T
	lanes      lanes
	now        time.Time
	running    []*item
	waiting    []*item
	added, ran int
}

func (s *laneStory) due(t *rapid.T) {
	n := rapid.IntRange(0, 3).Draw(t, "lane")
	kind := rapid.SampledFrom([]string{kindSubmit, kindDecide, kindWatch, kindCard}).Draw(t, "kind")
	e := store.Effect{Kind: kind, Request: pim.RequestID(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "request"))), Lane: fmt.Sprintf("%s:%d", kind, n)}
	if personal(kind) {
		e.Lane = fmt.Sprintf("person:%d", n)
	}
	if kind == kindCard {
		e.To = pim.Conversation{Chat: pim.Slack}
	}
	s.added++
	s.lanes.add(&item{Effect: e, index: -1})
}

func (s *laneStory) start(*rapid.T) {
	for _, name := range slices.Sorted(maps.Keys(s.lanes.pools)) {
		p := s.lanes.pools[name]
		for it := s.lanes.next(p, s.now, s.later); it != nil; it = s.lanes.next(p, s.now, s.later) {
			s.running = append(s.running, it)
		}
	}
}

func (s *laneStory) later(it *item, due time.Time) {
	it.due = due
	s.waiting = append(s.waiting, it)
}

// wake gives what was told to wait back to its lane.
func (s *laneStory) wake() {
	var still []*item
	for _, it := range s.waiting {
		if s.now.Before(it.due) {
			still = append(still, it)
		} else {
			s.lanes.add(it)
		}
	}
	s.waiting = still
}

func (s *laneStory) end(t *rapid.T) {
	if len(s.running) > 0 {
		s.running = s.finish(rapid.IntRange(0, len(s.running)-1).Draw(t, "which"))
	}
}

func (s *laneStory) finish(n int) []*item {
	s.ran++
	s.lanes.free(s.running[n])
	return append(s.running[:n:n], s.running[n+1:]...)
}

func (s *laneStory) pause(t *rapid.T) {
	if len(s.running) > 0 {
		it := rapid.SampledFrom(s.running).Draw(t, "asked to wait")
		s.lanes.of(it).paused = s.now.Add(time.Minute)
	}
}

func (s *laneStory) check(t *rapid.T) {
	lanes, requests, pools := map[string]int{}, map[pim.RequestID]int{}, map[string]int{}
	for _, it := range s.running {
		lanes[it.Lane]++
		pools[poolOf(it.Effect)]++
		if personal(it.Kind) {
			requests[it.Request]++
		}
	}
	for name, n := range lanes {
		if n > 1 {
			t.Fatalf("%d effects run in lane %s", n, name)
		}
	}
	for id, n := range requests {
		if n > 1 {
			t.Fatalf("%d people's effects run for request %s", n, id)
		}
	}
	for name, n := range pools {
		if n > poolSize {
			t.Fatalf("%d effects run in pool %s", n, name)
		}
	}
}

func TestAPoolIsBoundedAndALaneThatHangsHoldsNoOther(t *testing.T) {
	l := newLanes()
	add := func(lane int) {
		l.add(&item{Effect: store.Effect{Kind: kindWatch, Lane: fmt.Sprint(lane)}, index: -1})
	}
	for i := range 2 * poolSize {
		add(i)
		add(0)
	}
	var running []*item
	p := l.pools["read"]
	for it := l.next(p, time.Time{}, nil); it != nil; it = l.next(p, time.Time{}, nil) {
		running = append(running, it)
	}
	if len(running) != poolSize {
		t.Fatalf("%d run, the pool takes %d", len(running), poolSize)
	}
	for _, it := range running[1:] { // the first one hangs
		l.free(it)
	}
	seen := map[string]bool{}
	for it := l.next(p, time.Time{}, nil); it != nil; it = l.next(p, time.Time{}, nil) {
		seen[it.Lane] = true
		l.free(it)
	}
	if len(seen) != poolSize || seen["0"] {
		t.Errorf("ran then: %v", seen)
	}
}
