package workflowtest

import (
	"context"
	"sync"
	"time"
)

// Op names a call that can be made to fail.
type Op string

// The calls of a Directory and of a Messenger.
const (
	OpSubmit   Op = "submit"
	OpCancel   Op = "cancel"
	OpDecide   Op = "decide"
	OpAssigned Op = "assigned"
	OpWaiting  Op = "waiting"
	OpLook     Op = "look"
	OpAudit    Op = "audit"
	OpPost     Op = "post"
	OpUpdate   Op = "update"
	OpAccount  Op = "account"
	OpHome     Op = "home"
	OpWhisper  Op = "whisper"
)

// Fault is what goes wrong with one call.
type Fault struct {
	// Err is what the caller gets.
	Err error
	// Done says that the work was done all the same: the answer got lost.
	Done bool
	// Slow is how long the call takes before anything happens.
	Slow time.Duration
	// First is called before anything else happens.
	First func()
}

// Faults are what goes wrong with the calls of one side.
type Faults struct {
	mu     sync.Mutex
	next   map[Op][]Fault
	always map[Op]Fault
	counts map[Op]int
	// Around is called before and after the work of every call, when it is set
	// before the first one.
	Around func(op Op, after bool)
}

// Fail has the next calls of an op go wrong, one fault for each call.
func (f *Faults) Fail(op Op, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == nil {
		f.next = map[Op][]Fault{}
	}
	f.next[op] = append(f.next[op], faults...)
}

// Break has every call of an op go wrong until Mend.
func (f *Faults) Break(op Op, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.always == nil {
		f.always = map[Op]Fault{}
	}
	f.always[op] = fault
}

// Mend lets all calls of an op succeed again.
func (f *Faults) Mend(op Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.always, op)
	delete(f.next, op)
}

// Calls returns how often an op was called.
func (f *Faults) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[op]
}

func (f *Faults) take(op Op) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[Op]int{}
	}
	f.counts[op]++
	if waiting := f.next[op]; len(waiting) > 0 {
		f.next[op] = waiting[1:]
		return waiting[0]
	}
	return f.always[op]
}

// run does the work of one call, or what its fault says.
func run[T any](ctx context.Context, f *Faults, op Op, work func() (T, error)) (T, error) {
	var none T
	if f.Around != nil {
		f.Around(op, false)
		defer f.Around(op, true)
	}
	fault := f.take(op)
	if fault.First != nil {
		fault.First()
	}
	if fault.Slow > 0 {
		select {
		case <-ctx.Done():
			return none, ctx.Err()
		case <-time.After(fault.Slow):
		}
	}
	if fault.Err == nil {
		return work()
	}
	if fault.Done {
		if _, err := work(); err != nil {
			return none, err
		}
	}
	return none, fault.Err
}
