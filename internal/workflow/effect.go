package workflow

import (
	"encoding/json"
	"fmt"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// The kinds of effects.
const (
	kindSubmit   = "submit"
	kindDecide   = "decide"
	kindCancel   = "cancel"
	kindRelease  = "release"
	kindRevoke   = "revoke"
	kindWatch    = "watch"
	kindConfirm  = "confirm"
	kindCard     = "card"
	kindTell     = "tell"
	kindWhisper  = "whisper" // what only one person is to see, in a place of many
	kindSweep    = "sweep"
	kindEligible = "eligible" // what a person may activate, for the form
	kindLinks    = "links"    // the daily check of all links
	kindLapse    = "lapse"    // an intent that nobody signed in for
	kindRemind   = "remind"   // a request that nobody decides
	kindEnding   = "ending"   // an access that ends soon
	kindHomes    = "homes"    // the pages that people opened lately
	kindReview   = "review"   // somebody's review of the use of an emergency role
	kindOverdue  = "overdue"  // reviews that are open for too long
	kindBoard    = "board"    // a message that is kept in a place: who is elevated, what came at once
	kindAlarm    = "alarm"    // one place's message of an alarm
	kindEvidence = "evidence" // what the audit log says of a group
)

// personal reports whether effects of this kind are done as a person.
func personal(kind string) bool {
	switch kind {
	case kindSubmit, kindDecide, kindCancel, kindRelease, kindRevoke:
		return true
	}
	return false
}

// poolOf names the bounded pool an effect runs in.
func poolOf(e store.Effect) string {
	switch e.Kind {
	case kindCard, kindTell, kindAlarm:
		return string(e.To.Chat)
	case kindSubmit, kindDecide, kindCancel, kindRelease, kindRevoke:
		return "person"
	case kindHomes, kindBoard, kindWhisper:
		return e.Kind // they never take a card's room
	}
	return "read"
}

// decision is what a decide effect carries.
type decision struct {
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason,omitempty"`
	Digest  string    `json:"digest,omitempty"`
	Clicked time.Time `json:"clicked"`
	Chat    pim.Chat  `json:"chat"`
	// Since is how new the sign-in has to be where each decision needs one.
	Since time.Time `json:"since,omitzero"`
	// Challenge is what PIM wanted of the sign-in that this follows; nil where it wanted none.
	Challenge *string `json:"challenge,omitempty"`
	// Leased is set when the request was claimed at the click.
	Leased bool `json:"leased,omitempty"`
}

// place is what a card effect carries.
type place struct {
	Audience card.Viewer `json:"audience"`
	// Again is set when a card is posted once more, below what was said since.
	Again bool `json:"again,omitempty"`
}

// message is what a tell effect carries: whole sentences for one person or place.
type message struct {
	Text    string `json:"text"`
	Problem bool   `json:"problem,omitempty"`
	// Intent is set when the person has to sign in to go on.
	Intent string `json:"intent,omitempty"`
	// Administered is set when only an administrator can mend what on-call is told of.
	Administered bool `json:"administered,omitempty"`
	// Ending is set when the request's access ends soon.
	Ending bool `json:"ending,omitempty"`
	// Revoked is set when somebody else ends the request's access.
	Revoked bool `json:"revoked,omitempty"`
	// Step is a step of the request's that on-call is told of below its card, and the requester.
	Step string `json:"step,omitempty"`
	// Reviewed is set when somebody closed the review of the request's use of an
	// emergency role, and Overdue for the list of those that are open for too long.
	Reviewed bool `json:"reviewed,omitempty"`
	Overdue  bool `json:"overdue,omitempty"`
	// Form is set when the person is offered the form, with this role and what they typed.
	Form  bool   `json:"form,omitempty"`
	Role  string `json:"role,omitempty"`
	Draft string `json:"draft,omitempty"`
}

func personEffect(kind string, r *pim.Request, as pim.Actor, data any) (store.Effect, error) {
	return withData(store.Effect{
		Key: kind + "|" + string(r.ID) + "|" + string(as.Person), Kind: kind, Request: r.ID,
		Lane: "person:" + string(as.Person), As: as,
	}, data)
}

func watchEffect(g pim.GroupID) store.Effect {
	return store.Effect{Key: kindWatch + "|" + string(g), Kind: kindWatch, Lane: "read:" + string(g), Data: quote(string(g))}
}

func alarmEffect(id string, to pim.Conversation) store.Effect {
	return store.Effect{Key: kindAlarm + "|" + id + "|" + to.String(), Kind: kindAlarm, Lane: to.String(), To: to, Data: quote(id)}
}

func evidenceEffect(g pim.GroupID, due time.Time) store.Effect {
	return store.Effect{Key: kindEvidence + "|" + string(g), Kind: kindEvidence, Lane: kindEvidence, Due: due, Data: quote(string(g))}
}

func lapseEffect(in store.Intent) store.Effect {
	return store.Effect{
		Key: kindLapse + "|" + in.ID, Kind: kindLapse, Request: in.Request, Lane: kindLapse + ":" + in.ID,
		Due: in.Expires, Data: quote(in.ID),
	}
}

func confirmEffect(r *pim.Request, due time.Time) store.Effect {
	return store.Effect{Key: kindConfirm + "|" + string(r.ID), Kind: kindConfirm, Request: r.ID, Lane: "read:" + string(r.Group), Due: due}
}

func cardEffect(r *pim.Request, to pim.Conversation, audience card.Viewer) (store.Effect, error) {
	return withData(store.Effect{
		Key: cardKey(r.ID, to, audience), Kind: kindCard, Request: r.ID, Lane: to.String(), To: to,
	}, place{Audience: audience})
}

func cardKey(id pim.RequestID, to pim.Conversation, audience card.Viewer) string {
	return kindCard + "|" + string(id) + "|" + string(audience) + "|" + to.String()
}

// againEffect posts a request's card once more.
func againEffect(r *pim.Request, to pim.Conversation, audience card.Viewer) (store.Effect, error) {
	return withData(store.Effect{
		Key: kindCard + "|" + string(r.ID) + "|again|" + to.String(), Kind: kindCard, Request: r.ID, Lane: to.String(), To: to,
	}, place{Audience: audience, Again: true})
}

func remindEffect(r *pim.Request, due time.Time) store.Effect {
	return store.Effect{Key: kindRemind + "|" + string(r.ID), Kind: kindRemind, Request: r.ID, Lane: kindRemind + ":" + string(r.ID), Due: due}
}

func endingEffect(r *pim.Request, due time.Time) store.Effect {
	return store.Effect{Key: kindEnding + "|" + string(r.ID), Kind: kindEnding, Request: r.ID, Lane: kindEnding + ":" + string(r.ID), Due: due}
}

func tellEffect(key string, r pim.RequestID, to pim.Conversation, m message) (store.Effect, error) {
	return withData(store.Effect{
		Key: kindTell + "|" + to.String() + "|" + key, Kind: kindTell, Request: r, Lane: to.String(), To: to,
	}, m)
}

func withData(e store.Effect, data any) (store.Effect, error) {
	if data == nil {
		return e, nil
	}
	b, err := json.Marshal(data)
	if err != nil {
		return e, fmt.Errorf("writing the data of effect %s: %w", e.Key, err)
	}
	e.Data = b
	return e, nil
}

func quote(s string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("%q", s))
}

func dataOf[T any](e store.Effect) (T, error) {
	var v T
	if len(e.Data) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("reading the data of effect %s: %w", e.Key, err)
	}
	return v, nil
}
