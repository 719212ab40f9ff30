package store

import (
	"encoding/json"
	"fmt"
	"time"

	"elevate/internal/pim"
)

// Effect is work that a change caused and that is done after it, at least once. Its key names the work: while it waits,
// the same work is there once.
type Effect struct {
	Key     string           `json:"key"`
	Kind    string           `json:"kind"`
	Request pim.RequestID    `json:"request,omitempty"`
	Lane    string           `json:"lane,omitempty"`
	As      pim.Actor        `json:"as,omitzero"`
	To      pim.Conversation `json:"to,omitzero"`
	Data    json.RawMessage  `json:"data,omitempty"`
	Due     time.Time        `json:"due,omitzero"`
	First   time.Time        `json:"first"`
	// Gen counts how often the effect was put: who has done it deletes the one that was done, not a newer one.
	Gen uint64 `json:"gen"`
	// After is the newest event when the effect was put: it runs when that one is on the sink.
	After uint64 `json:"after"`
}

// Parked is an effect that was given up.
type Parked struct {
	Effect Effect    `json:"effect"`
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}

// PutEffect stores an effect. One with the same key is replaced: Gen goes up and First stays. A Data of nil is kept nil.
func (tx *Tx) PutEffect(e Effect) error {
	if e.Key == "" {
		return fmt.Errorf("storing an effect of kind %q: it has no key", e.Kind)
	}
	old, existed, err := tx.Effect(e.Key)
	if err != nil {
		return err
	}
	c, err := tx.theChain()
	if err != nil {
		return err
	}
	e.Gen, e.After = old.Gen+1, c.Seq
	switch {
	case existed:
		e.First = old.First
	case e.First.IsZero():
		e.First = tx.now
	}
	if err := tx.write(effects, []byte(e.Key), e); err != nil {
		return err
	}
	tx.due = append(tx.due, e)
	return nil
}

// Effect returns the effect of that key, unless it is parked.
func (tx *Tx) Effect(key string) (Effect, bool, error) {
	return read[Effect](tx, effects, []byte(key))
}

// DeleteEffect removes an effect that was done, if it is still the one of that Gen, and says whether it was.
func (tx *Tx) DeleteEffect(key string, gen uint64) (bool, error) {
	e, ok, err := tx.Effect(key)
	if err != nil || !ok || e.Gen != gen {
		return false, err
	}
	return true, tx.delete(effects, []byte(key))
}

// Effects returns all effects that are not parked.
func (tx *Tx) Effects() ([]Effect, error) { return list[Effect](tx, effects) }

// Park takes an effect out of the work and keeps it for a person to look at. A newer one of the same key stays at work.
func (tx *Tx) Park(e Effect, why string) error {
	if _, err := tx.DeleteEffect(e.Key, e.Gen); err != nil {
		return err
	}
	return tx.write(parked, []byte(e.Key), Parked{Effect: e, Why: why, At: tx.now})
}

// Parked returns all parked effects.
func (tx *Tx) Parked() ([]Parked, error) { return list[Parked](tx, parked) }

// Unpark puts a parked effect back to work, due now, and returns it. When the same work waits
// anyhow, that is what remains. The error is of kind pim.NotFound when there is no such effect.
func (tx *Tx) Unpark(key string) (Effect, error) {
	p, err := tx.DropParked(key)
	if err != nil {
		return Effect{}, err
	}
	if e, waits, err := tx.Effect(key); err != nil || waits {
		return e, err
	}
	e := p.Effect
	// Its age counts from now: who puts it back wants it tried, not given up at once.
	e.Due, e.First = tx.now, tx.now
	if err := tx.PutEffect(e); err != nil {
		return Effect{}, err
	}
	e, _, err = tx.Effect(key)
	return e, err
}

// DropParked forgets a parked effect and returns it. The error is of kind pim.NotFound when there is none.
func (tx *Tx) DropParked(key string) (Parked, error) {
	p, ok, err := read[Parked](tx, parked, []byte(key))
	if err != nil {
		return p, err
	}
	if !ok {
		return p, missing("There is no parked effect %s.", key)
	}
	return p, tx.delete(parked, []byte(key))
}
