package workflowtest

import (
	"context"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// The people of the suite, whom every chat has, and the places.
const (
	Alice = "alice" // asks
	Bob   = "bob"   // approves
	Carol = "carol" // approves

	Approvals = "approvals" // where approvers are asked
	OnCall    = "on-call"
	Direct    = "dm" // between a person and the bot
)

// Chat is one chat as people and Elevate use it: an adapter before a fake of its
// chat, over real HTTP. Every input goes through the adapter's own handler.
type Chat interface {
	// Messenger is the adapter's half that speaks.
	Messenger() workflow.Messenger
	// Serve begins to say to a workflow what people do.
	Serve(s *workflow.Service)
	// Close ends everything and waits for what is under way.
	Close()
	// Now is the world's time, which may run faster than the machine's.
	Now() time.Time

	Tenant() pim.TenantID
	Person(name string) Person
	// Place is a conversation that all people and the bot are in; Closed is one
	// that the bot is not in.
	Place(name string) pim.Conversation
	Closed() pim.Conversation

	// Say says something to the bot.
	Say(ctx context.Context, person, words string) error
	// Press presses a button on what stands before the person.
	Press(ctx context.Context, person string, p Press) error
	// Again delivers a person's last input once more, as it was.
	Again(ctx context.Context, person string) error
	// Begin goes as far as the reason that a button asks for; send gives it.
	Begin(ctx context.Context, person string, p Press) (send func(reason string) error, err error)
	// Answer is what the person's last input was answered with.
	Answer(person string) string
	// Sees is what stands before a person, oldest first.
	Sees(ctx context.Context, person string) ([]Shown, error)

	// Break has the chat's service go wrong; Heal ends that.
	Break(op Op, t Trouble)
	Heal()
	// Secrets are what stands in no error, no log and no message: tokens, and
	// what came with an input to answer it by.
	Secrets() []string
	// Findings are what the chat's service took, and no client would show.
	Findings() []string
}

// Person is somebody who is in the chat and in the directory.
type Person struct {
	pim.Profile
	Account pim.ChatAccount
}

// Press says which button.
type Press struct {
	Button string
	// On are words the message shows, and Message is its id; empty: any.
	On, Message string
	In          string // a place
}

// Shown is one thing that a person sees, drawn as text.
type Shown struct {
	Place   string // the name of the place, "" for what is elsewhere
	Message string // the message's id
	Thread  string // the id of the message below which it stands
	Text    string
	Buttons []string
	Links   []string // where what can be clicked leads
}

// OpAnswer is the answer to an input, where it does not stand in the response.
const OpAnswer Op = "answer"

// Trouble is what a chat's service does wrong.
type Trouble struct {
	Kind  TroubleKind
	Wait  time.Duration // that it asks for when it throttles
	Times int           // so many calls; zero: until Heal
}

// TroubleKind is a way in which it does.
type TroubleKind string

// The ways.
const (
	Throttles TroubleKind = "throttles" // nothing is done
	IsDown    TroubleKind = "is down"   // a gateway answers, nothing is done
	LosesIt   TroubleKind = "loses it"  // it is done, and the answer gets lost
)
