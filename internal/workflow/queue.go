package workflow

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// A result is what became of running an effect.
type result struct {
	// apply writes what the effect brought, in the transaction that also takes
	// the effect away. It may run twice.
	apply func(*store.Tx) error
	// again keeps the effect and runs it after this time; nothing about it is
	// written, so after a restart it runs at once.
	again time.Duration
	// park says why nobody should try this effect again by itself.
	park string
	// pause is how long its lane does nothing more.
	pause time.Duration
}

// effectTime bounds one run of one effect.
const effectTime = 45 * time.Second

// item is an effect in the queue's memory.
type item struct {
	store.Effect
	due     time.Time
	ready   time.Time // when it was found due
	tries   int
	why     string // what the last try came to, if it failed
	refused bool   // by the chat: it is tried again slowly
	panics  int
	running bool
	// later is what was put under the same key while this one ran.
	later *store.Effect
	index int    // in the heap, -1 when ready or running
	nth   uint64 // in which order they were put: of those that are due together the first comes first
}

// queue runs effects: one at a time in a lane, one person-effect at a time for
// a request, at most poolSize in a pool.
type queue struct {
	now     func() time.Time
	tick    time.Duration
	log     *slog.Logger
	perform func(context.Context, store.Effect) (result, error)
	commit  func(fn func(*store.Tx) error) error
	parked  func(tx *store.Tx, e store.Effect, why string) error // what else happens then
	refused func(e store.Effect)                                 // what else happens when a chat begins to refuse a card, or takes it after all
	count   func(kind, outcome string)
	quiet   func() bool // no messages yet

	mu    sync.Mutex
	items map[string]*item
	nth   uint64  // how many items there were
	wait  dueHeap // what is not due yet
	lanes lanes   // what is due
	wake  chan struct{}
	done  sync.WaitGroup
	stop  <-chan struct{} // closed when run is to end
	// last is when the clock was looked at, near when the due times were.
	last, near time.Time
}

func newQueue(now func() time.Time, tick time.Duration, log *slog.Logger) *queue {
	return &queue{
		now: now, tick: tick, log: log, count: func(string, string) {}, quiet: func() bool { return false },
		parked: func(*store.Tx, store.Effect, string) error { return nil }, refused: func(store.Effect) {},
		items: map[string]*item{}, lanes: newLanes(), wake: make(chan struct{}, 1),
	}
}

// put takes effects over from the state file. A key that is there already is
// replaced; one that runs is run once more afterwards.
func (q *queue) put(effects []store.Effect) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range effects {
		q.putOne(e)
	}
	q.nudge()
}

// takeUp takes over what the state file held at the start. What was put
// meanwhile is newer, so it stays.
func (q *queue) takeUp(effects []store.Effect) {
	q.mu.Lock()
	defer q.mu.Unlock()
	slices.SortStableFunc(effects, func(a, b store.Effect) int { return a.First.Compare(b.First) })
	for _, e := range effects {
		if q.items[e.Key] == nil {
			q.putOne(e)
		}
	}
	q.nudge()
}

func (q *queue) putOne(e store.Effect) {
	it := q.items[e.Key]
	switch {
	case it == nil:
		q.nth++
		it = &item{Effect: e, due: q.dueAt(e), index: -1, nth: q.nth}
		q.items[e.Key] = it
		heap.Push(&q.wait, it)
	case it.running:
		it.later = &e
	case it.index >= 0:
		it.Effect, it.due, it.tries, it.why = e, q.dueAt(e), 0, ""
		heap.Fix(&q.wait, it.index)
	default: // ready: runs with what is newest
		it.Effect = e
	}
}

// dueAt is an effect's due time as the queue waits for it: from here on a clock
// that is set does not move it, where the clock knows better than its hands.
func (q *queue) dueAt(e store.Effect) time.Time {
	now := q.now()
	return now.Add(e.Due.Sub(now))
}

// lookAtClock keeps the waits true when the clock was set back, and once an
// hour has no wait be longer than its kind allows.
func (q *queue) lookAtClock(now time.Time) {
	if back := q.last.Sub(now); back > 0 {
		for _, it := range q.wait {
			it.due = it.due.Add(-back)
		}
		q.lanes.shift(back)
		q.near = time.Time{}
	}
	q.last = now
	if now.Sub(q.near) < time.Hour {
		return
	}
	q.near = now
	q.lanes.prune(now)
	for _, it := range q.wait {
		if it.due.Sub(now) > paces[it.Kind].furthest {
			it.due = now
		}
	}
	heap.Init(&q.wait)
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// refuses reports whether a chat refuses what this effect brings it at the moment.
func (q *queue) refuses(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.items[key]
	return it != nil && it.refused
}

// size returns how many effects wait or run.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// stuckAfter is how long work may be due. A flood is through sooner: what a chat
// or Graph asks to wait for is not due meanwhile.
const stuckAfter = 10 * time.Minute

// stuck reports whether something has been due for too long.
func (q *queue) stuck() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, at := range q.lanes.by {
		if len(at.ready) > 0 && now.Sub(at.ready[0].ready) > stuckAfter {
			return true
		}
	}
	return false
}

// run starts effects until ctx ends, then waits for those that run: none is cut
// in half.
func (q *queue) run(ctx context.Context) {
	defer q.done.Wait()
	q.stop = ctx.Done()
	for ctx.Err() == nil {
		q.start(ctx)
		timer := time.NewTimer(q.pauseFor())
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pauseFor is short enough to notice that the clock was moved.
func (q *queue) pauseFor() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.wait) == 0 {
		return q.tick
	}
	return max(min(q.wait[0].due.Sub(q.now()), q.tick), time.Millisecond)
}

// start moves what is due to its lane and starts what has a free one.
func (q *queue) start(ctx context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.lookAtClock(now)
	for len(q.wait) > 0 && !q.wait[0].due.After(now) {
		it := heap.Pop(&q.wait).(*item)
		it.ready = now
		q.lanes.add(it)
	}
	for _, p := range q.lanes.pools {
		if p.chat && q.quiet() {
			continue
		}
		for it := q.lanes.next(p, now, q.later); it != nil; it = q.lanes.next(p, now, q.later) {
			q.done.Add(1)
			go q.runOne(context.WithoutCancel(ctx), it, it.Effect)
		}
	}
}

// waiting returns the effects that wait for their time.
func (q *queue) waiting(which func(store.Effect) bool) []store.Effect {
	q.mu.Lock()
	defer q.mu.Unlock()
	var found []store.Effect
	for _, it := range q.wait {
		if which(it.Effect) {
			found = append(found, it.Effect)
		}
	}
	return found
}

// hurry has effects that wait tried at once.
func (q *queue) hurry(which func(store.Effect) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range q.wait {
		if which(it.Effect) {
			it.due = q.now()
		}
	}
	heap.Init(&q.wait)
	q.nudge()
}

// later has an effect wait until a time.
func (q *queue) later(it *item, due time.Time) {
	it.due = due
	heap.Push(&q.wait, it)
}

// runOne runs an effect, writes what it brought and takes it away, or plans the
// next try. e is a copy: the item may be replaced meanwhile.
func (q *queue) runOne(ctx context.Context, it *item, e store.Effect) {
	defer q.done.Done()
	ctx, cancel := context.WithTimeout(ctx, effectTime)
	defer cancel()
	res, err := q.guarded(ctx, e)
	if err == nil && res.again == 0 && res.park == "" {
		err = q.finish(e, res.apply)
	}
	q.settle(it, e, res, err)
}

// finish writes what an effect brought. While the disk takes nothing it tries
// again, with the lane held: the work is done, and doing it once more would post
// a card twice. Only a stop leaves it to the next start.
func (q *queue) finish(e store.Effect, apply func(*store.Tx) error) error {
	for try := 1; ; try++ {
		err := q.commit(func(tx *store.Tx) error { return finish(tx, e, apply, try > 1) })
		if !errors.Is(err, store.ErrNotStored) {
			return err
		}
		wait := time.NewTimer(backoff(paces[kindTell], try))
		select {
		case <-q.stop:
			wait.Stop()
			return err
		case <-wait.C:
		}
	}
}

// finish takes an effect away with what it brought. If it may have been written
// before, an effect that is gone says so.
func finish(tx *store.Tx, e store.Effect, apply func(*store.Tx) error, again bool) error {
	if again {
		if _, there, err := tx.Effect(e.Key); err != nil || !there {
			return err
		}
	}
	if apply != nil {
		if err := apply(tx); err != nil {
			return err
		}
	}
	_, err := tx.DeleteEffect(e.Key, e.Gen)
	return err
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func (q *queue) guarded(ctx context.Context, e store.Effect) (res result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: v, stack: debug.Stack()}
		}
	}()
	return q.perform(ctx, e)
}

// settle plans what comes after a run.
func (q *queue) settle(it *item, e store.Effect, res result, err error) {
	wait, why := q.judge(it, e, res, err)
	if res.pause > 0 {
		q.pauseLane(it, res.pause)
	}
	if why != "" {
		q.log.Warn("effect_parked", "key", e.Key, "request", e.Request, "why", why)
		if err := q.commit(func(tx *store.Tx) error { return q.park(tx, e, why) }); err != nil {
			q.log.Error("effect_not_parked", "key", e.Key, "error", err)
			wait = time.Minute
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes.free(it)
	switch {
	case it.later != nil:
		it.Effect, it.tries, it.why, it.later = *it.later, 0, "", nil
		q.later(it, q.dueAt(it.Effect))
	case wait > 0:
		q.later(it, q.now().Add(wait))
	default:
		delete(q.items, e.Key)
	}
	q.nudge()
}

// judge returns after which time the effect runs again (zero: it is done) and
// why it is parked, if it is.
func (q *queue) judge(it *item, e store.Effect, res result, err error) (time.Duration, string) {
	before, now := q.note(it, err)
	if e.Kind == kindCard && before != now {
		q.refused(e) // once: cards of two places that refuse would have each other drawn without end
	}
	if err == nil {
		it.panics = 0
		q.count(e.Kind, "ok")
		return res.again, res.park
	}
	q.count(e.Kind, string(pim.Explain(err).Kind))
	p := paceOf(e.Kind, err)
	if crash, ok := errors.AsType[*panicked](err); ok || errors.Is(err, store.ErrPanicked) {
		it.panics++
		if ok {
			q.log.Error("effect_panicked", "key", e.Key, "request", e.Request, "panic", crash.Error(), "stack", string(crash.stack))
		}
		if it.panics >= 2 {
			return 0, "It failed twice inside Elevate."
		}
	} else {
		q.log.Warn("effect_failed", "key", e.Key, "request", e.Request, "try", it.tries, "kind", pim.Explain(err).Kind, "error", err)
	}
	if p.age > 0 && q.now().Sub(e.First) > p.age {
		return 0, "It was tried for too long: " + pim.Explain(err).Message
	}
	if said := pim.Explain(err); said.Kind == pim.Throttled && said.RetryAfter > 0 {
		q.pauseLane(it, said.RetryAfter)
		return time.Millisecond, "" // the lane knows when
	}
	return backoff(p, it.tries), ""
}

// note keeps how often an effect failed since it last worked, and why. It returns
// whether the chat refused it before, and whether it does now.
func (q *queue) note(it *item, err error) (before, now bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before = it.refused
	if err == nil {
		it.tries, it.why, it.refused = 0, "", false
		return before, false
	}
	it.tries, it.why = it.tries+1, err.Error()
	it.refused = refusedByChat(it.Kind, err)
	return before, it.refused
}

func (q *queue) pauseLane(it *item, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes.of(it).paused = q.now().Add(d)
}

func (q *queue) park(tx *store.Tx, e store.Effect, why string) error {
	if err := tx.Park(e, why); err != nil {
		return err
	}
	if _, err := tx.Append(pim.Event{Kind: pim.EventParked, Request: e.Request, By: e.As, Chat: pim.System, Text: e.Key + ": " + why}); err != nil {
		return err
	}
	return q.parked(tx, e, why)
}
