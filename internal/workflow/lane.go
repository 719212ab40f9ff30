package workflow

import (
	"maps"
	"time"

	"elevate/internal/pim"
)

// poolSize bounds how much runs side by side in a pool, so that a chat that
// hangs holds neither Graph nor the other chat.
const poolSize = 16

// lane is where effects run one after the other: those of one person, one
// conversation, one group.
type lane struct {
	name  string
	pool  *pool
	ready []*item // due, oldest first
	busy  bool    // one of its effects runs
	// queued is set while the lane stands in its pool's line, or behind a request.
	queued bool
	paused time.Time // the service asked it to wait until then
}

// pool runs the effects of several lanes side by side. The lanes stand in line,
// so that what it costs to find the next one does not grow with what waits.
type pool struct {
	running int
	line    []*lane
	chat    bool // it says something to people
}

// lanes are the lanes that have something to do, and the pools they run in.
type lanes struct {
	by    map[string]*lane
	pools map[string]*pool
	// requests are those that a person-effect runs for, with the lanes that wait
	// for its end.
	requests map[pim.RequestID][]*lane
}

func newLanes() lanes {
	return lanes{by: map[string]*lane{}, pools: map[string]*pool{}, requests: map[pim.RequestID][]*lane{}}
}

// of returns the lane of an effect.
func (l *lanes) of(it *item) *lane {
	name := poolOf(it.Effect)
	p := l.pools[name]
	if p == nil {
		p = &pool{chat: says(it.Effect) || it.Kind == kindHomes}
		l.pools[name] = p
	}
	at := l.by[it.Lane]
	if at == nil {
		at = &lane{name: it.Lane, pool: p}
		l.by[it.Lane] = at
	}
	return at
}

// add puts an effect that is due at the end of its lane.
func (l *lanes) add(it *item) {
	at := l.of(it)
	at.ready = append(at.ready, it)
	at.enqueue()
}

// enqueue puts a lane that could run into its pool's line, once.
func (at *lane) enqueue() {
	if !at.busy && !at.queued && len(at.ready) > 0 {
		at.queued = true
		at.pool.line = append(at.pool.line, at)
	}
}

// next takes the effect that a pool runs next, or nil. A lane that has to wait
// gives what it holds to later.
func (l *lanes) next(p *pool, now time.Time, later func(it *item, due time.Time)) *item {
	for p.running < poolSize && len(p.line) > 0 {
		at := p.line[0]
		p.line[0] = nil
		p.line = p.line[1:]
		at.queued = false
		if !now.Before(at.paused) {
			at.paused = time.Time{}
		} else {
			at.wait(now, later)
			if len(at.ready) == 0 {
				continue
			}
		}
		it := at.ready[0]
		if personal(it.Kind) {
			if behind, runs := l.requests[it.Request]; runs {
				at.queued = true
				l.requests[it.Request] = append(behind, at)
				continue
			}
			l.requests[it.Request] = nil
		}
		at.ready[0] = nil
		at.ready = at.ready[1:]
		at.busy, it.running = true, true
		p.running++
		return it
	}
	return nil
}

// wait has a paused lane's effects come again after the pause. A step of a
// person's that is over before runs then: it says so, and calls nobody.
func (at *lane) wait(now time.Time, later func(it *item, due time.Time)) {
	over := at.ready[:0]
	for i, it := range at.ready {
		switch ends := it.ends(); {
		case ends.IsZero() || ends.After(at.paused):
			later(it, at.paused.Add(time.Duration(i))) // in the order in which they stand
		case now.Before(ends):
			later(it, ends)
		default:
			over = append(over, it)
		}
	}
	clear(at.ready[len(over):])
	at.ready = over
}

// ends is when a step may not be sent any more; zero for those that never end.
func (it *item) ends() time.Time {
	if it.Kind == kindSubmit || it.Kind == kindDecide {
		return it.First.Add(stepLife + time.Second)
	}
	return time.Time{}
}

// free ends a run: the lane, and those that waited for the same request, go on.
// A lane that has nothing left is forgotten.
func (l *lanes) free(it *item) {
	at := l.of(it)
	at.busy, it.running = false, false
	at.pool.running--
	at.enqueue()
	if personal(it.Kind) {
		for _, behind := range l.requests[it.Request] {
			behind.queued = false
			behind.enqueue()
		}
		delete(l.requests, it.Request)
	}
	if at.idle() && at.paused.IsZero() {
		delete(l.by, at.name)
	}
}

func (at *lane) idle() bool { return !at.busy && !at.queued && len(at.ready) == 0 }

// prune forgets the lanes that were asked to wait and got nothing to do since.
func (l *lanes) prune(now time.Time) {
	maps.DeleteFunc(l.by, func(_ string, at *lane) bool { return at.idle() && !now.Before(at.paused) })
}

// shift moves the pauses with a clock that was set back.
func (l *lanes) shift(back time.Duration) {
	for _, at := range l.by {
		if !at.paused.IsZero() {
			at.paused = at.paused.Add(-back)
		}
	}
}
