package card

import (
	"time"

	"elevate/internal/pim"
)

// Viewer is for whom a request's card is drawn.
type Viewer string

// The viewers.
const (
	Approvers Viewer = "approvers"
	Requester Viewer = "requester"
	OnCall    Viewer = "oncall"
)

// View is what a card needs to know besides the request and its role.
type View struct {
	Viewer Viewer
	Now    time.Time
	// Chat is where the card will stand.
	Chat pim.Chat
	// RequesterName is the name the directory gives; empty: the chat's own.
	RequesterName string
	// ApproverNames are those who may decide, as far as known.
	ApproverNames []string
	Seen          Seen
	// Others have the role at this moment.
	Others []Holder
	// Unreached are approvers to whom no direct message can be sent.
	Unreached []string
	// Places is how many channels approvers are asked in, and Closed how many of them could not be written to.
	Places, Closed int
	// Unheard is set when on-call cannot be told of the request at the moment.
	Unheard bool
	// Unchecked is since when PIM could not be read; zero while it can.
	Unchecked time.Time
	// Other is the requester's own request that stood in the way of a refused one, while it is open; nil: none is known.
	Other *pim.Request
	// Roles are those of the settings, for a card that names others than its own.
	Roles pim.Roles
	// PortalURL is PIM's own page.
	PortalURL string
	// OnCall are the people who are on call now.
	OnCall []OnCallPerson
	// Personal are the accounts of this chat for whom the card has buttons of their own.
	Personal []pim.ChatAccount
}

// Seen is how often this person had this role, as far as Elevate has seen.
type Seen struct {
	Times30d int       // activations in the last 30 days
	First    bool      // Elevate has seen none, ever
	Since    time.Time // since when Elevate has been looking
}

// Holder is somebody who has a role now.
type Holder struct {
	Name  string
	Until time.Time // zero: without an end
}

// ForRequest draws the card of a request. Once there is a copy in PIM, its
// facts come from that alone; what the person typed is shown only before.
func ForRequest(r pim.Request, role pim.Role, v View) Card {
	d := newDrawing(&r, role, v)
	c := Card{
		Title: d.heading(), Tone: d.tone(), Lines: d.lines(), Facts: d.facts(), Steps: d.steps(),
		Buttons: d.buttons(), Notes: d.notes(), Fallback: d.sentence(), Request: r.ID, Personal: v.Personal,
	}
	c.Call(v.OnCall)
	return c
}
