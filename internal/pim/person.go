package pim

import "strings"

// TenantID is the id of a Microsoft Entra tenant, a lower-case GUID.
type TenantID string

// PrincipalID is the object id of a person in Microsoft Entra, a lower-case
// GUID. It is the only thing a decision is ever based on.
type PrincipalID string

// GroupID is the object id of a group in Microsoft Entra, a lower-case GUID.
type GroupID string

// NewPrincipalID returns the id in the one spelling that Elevate compares.
func NewPrincipalID(s string) PrincipalID { return PrincipalID(strings.ToLower(strings.TrimSpace(s))) }

// NewGroupID returns the id in the one spelling that Elevate compares.
func NewGroupID(s string) GroupID { return GroupID(strings.ToLower(strings.TrimSpace(s))) }

// Chat names the place a step came from.
type Chat string

// The places a step can come from.
const (
	Slack  Chat = "slack"
	Teams  Chat = "teams"
	Portal Chat = "portal" // PIM itself, acted on outside Elevate
	Web    Chat = "web"    // the sign-in pages
	System Chat = "system" // Elevate, without a person
)

// Title returns the place's name as people know it.
func (c Chat) Title() string {
	switch c {
	case Slack:
		return "Slack"
	case Teams:
		return "Microsoft Teams"
	case Portal:
		return "the PIM portal"
	case Web:
		return "the browser"
	case System:
		return "Elevate"
	}
	return "Elevate"
}

// ChatAccount is one account in one chat. Workspace is the Slack enterprise or
// team id, or the tenant id in Teams.
type ChatAccount struct {
	Chat      Chat   `json:"chat"`
	Workspace string `json:"workspace"`
	User      string `json:"user"`
}

// String returns the account as it stands in keys, logs and events.
func (a ChatAccount) String() string {
	return string(a.Chat) + ":" + a.Workspace + ":" + a.User
}

// IsZero reports whether there is no account.
func (a ChatAccount) IsZero() bool { return a == ChatAccount{} }

// Actor is a person acting from a chat account, with the session that was
// opened from that account and from no other.
type Actor struct {
	Person  PrincipalID `json:"person"`
	Account ChatAccount `json:"account,omitzero"`
	// Name is for display only.
	Name string `json:"name,omitempty"`
}

// Conversation is a place in a chat where messages stand: a channel, a thread
// or a direct message.
type Conversation struct {
	Chat      Chat   `json:"chat"`
	Workspace string `json:"workspace,omitempty"`
	ID        string `json:"id"`
	// User is set when the conversation is with one person: the adapter opens
	// it when ID is empty.
	User string `json:"user,omitempty"`
	// Thread is a message there, by what MessageRef.Thread calls it, below which is said
	// what is said.
	Thread string `json:"thread,omitempty"`
}

// String returns the conversation as it stands in keys and logs, without a thread: what
// is said in one is a part of what is said in the conversation.
func (c Conversation) String() string {
	id := c.ID
	if c.User != "" {
		id = "@" + c.User
	}
	return string(c.Chat) + ":" + id
}

// DirectTo returns the direct conversation with an account.
func DirectTo(a ChatAccount) Conversation {
	return Conversation{Chat: a.Chat, Workspace: a.Workspace, User: a.User}
}

// MessageRef finds a message again that Elevate has posted.
type MessageRef struct {
	Conversation Conversation `json:"conversation"`
	// ID is the chat's own id of the message (Slack: ts; Teams: activity id).
	ID string `json:"id"`
	// Channel is the chat's own id of the conversation the message stands in,
	// which for a direct message is known only after it was opened.
	Channel string `json:"channel"`
	// Thread names the message to whoever wants to reply below it; empty where the chat
	// has no threads.
	Thread string `json:"thread,omitempty"`
}

// Profile is what the directory says of a person.
type Profile struct {
	ID      PrincipalID
	Name    string
	Enabled bool
	Guest   bool
	// SamePerson is the value of the attribute named in people.same_person.
	SamePerson string
	// Found is false when the directory does not know the id.
	Found bool
}

// MayAct reports why a person may not act at all, or nil.
func (p Profile) MayAct() error {
	switch {
	case !p.Found:
		return Errorf(Forbidden, "Microsoft Entra does not know your account any more. Ask an administrator.")
	case !p.Enabled:
		return Errorf(Forbidden, "Your account in Microsoft Entra is disabled. Ask an administrator.")
	case p.Guest:
		return Errorf(Forbidden, "Guests of the tenant cannot use Elevate. Use an account that belongs to it.")
	}
	return nil
}
