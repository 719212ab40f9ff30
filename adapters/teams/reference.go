package teams

import (
	"context"
	"errors"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Reference is what it takes to write into a conversation, as the channel said
// it last. One is kept for each conversation Elevate was met in, and one for
// each person.
type Reference struct {
	// Key is the conversation's id without a thread, or "person " and an object id.
	Key string `json:"key"`
	// Conversation is the chat's own id; for a person that of the personal chat,
	// or "" while the app is not installed for them.
	Conversation string `json:"conversation,omitempty"`
	Kind         string `json:"kind,omitempty"` // personal, groupChat or channel
	ServiceURL   string `json:"service_url"`
	// MRI is the chat's own id of the person, which is this bot's alone.
	MRI string `json:"mri,omitempty"`
	// Met is a conversation in which the person was seen, to look them up in.
	Met string `json:"met,omitempty"`
	// Zone is the person's time zone, as their client last said it.
	Zone string `json:"zone,omitempty"`
	// Shut is the code with which Teams refused to let the bot write there, and
	// ShutAt when. It is tried again after a while.
	Shut   string    `json:"shut,omitempty"`
	ShutAt time.Time `json:"shut_at,omitzero"`
}

// References keep the references, in the state file.
type References interface {
	// Reference returns the one of that key; false when there is none.
	Reference(ctx context.Context, key string) (Reference, bool, error)
	// KeepReference stores it in the place of the one of its key.
	KeepReference(ctx context.Context, r Reference) error
}

// PersonKey is the key of a person's reference.
func PersonKey(id pim.PrincipalID) string { return "person " + string(id) }

// shutFor is how long a conversation that refused the bot is left alone. The
// next word from there opens it at once.
const shutFor = time.Hour

// zone is that of the one person in a personal chat; nil where it is not known, or
// where many read.
func (r Reference) zone() *time.Location {
	if r.Kind != personal || r.Zone == "" {
		return nil
	}
	at, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil
	}
	return at
}

// Refuses reports whether the bot leaves a conversation alone at a time, because
// it was refused there shortly before.
func (r Reference) Refuses(now time.Time) bool {
	return r.Shut != "" && now.Sub(r.ShutAt).Abs() < shutFor
}

// of is the reference of a person with what an activity of theirs says of them.
func (r Reference) of(a *received) Reference {
	r.MRI = a.From.ID
	if zone, said := a.zoneSaid(); said {
		r.Zone = zone.String()
	}
	return r
}

// remember notes where an activity came from, if that is news, and returns the
// conversation that it opened, if it was shut.
func (c *Client) remember(ctx context.Context, a *received, who pim.ChatAccount) (opened pim.Conversation, err error) {
	conversation := a.Conversation
	if conversation.ID == "" {
		return opened, nil
	}
	kind := conversation.ConversationType
	if kind != personal {
		here := Reference{Key: withoutThread(conversation.ID), Conversation: withoutThread(conversation.ID), Kind: kind, ServiceURL: a.ServiceURL}
		wasShut, err := c.keep(ctx, here)
		if err != nil {
			return opened, err
		}
		if wasShut {
			opened = c.place(here.Key)
		}
	}
	if who.IsZero() {
		return opened, nil
	}
	key := PersonKey(pim.PrincipalID(who.User))
	before, found, err := c.cfg.References.Reference(ctx, key)
	if err != nil {
		return opened, err
	}
	person := before.of(a)
	person.Key = key
	switch {
	case kind == personal:
		person.Conversation, person.Kind, person.Shut, person.ShutAt = conversation.ID, personal, "", time.Time{}
		person.Met, person.ServiceURL = conversation.ID, a.ServiceURL
	case person.Conversation == "" || person.Shut != "":
		// Nobody leaves the personal chat, so it is the better place to look them
		// up, and words in a channel are no news then.
		person.Met, person.ServiceURL = withoutThread(conversation.ID), a.ServiceURL
	}
	if found && person == before {
		return opened, nil
	}
	if kind == personal && (before.Shut != "" || before.Conversation == "") {
		opened = pim.DirectTo(who)
	}
	return opened, c.cfg.References.KeepReference(ctx, person)
}

// place is a conversation that many share, as the workflow knows it.
func (c *Client) place(id string) pim.Conversation {
	return pim.Conversation{Chat: pim.Teams, Workspace: c.cfg.TenantID, ID: id}
}

// keep stores a reference, unless the same is stored already: most activities
// bring no news, and a write is a write. It says whether the place was shut.
func (c *Client) keep(ctx context.Context, r Reference) (wasShut bool, err error) {
	old, found, err := c.cfg.References.Reference(ctx, r.Key)
	if err != nil || found && old == r {
		return false, err
	}
	return old.Shut != "", c.cfg.References.KeepReference(ctx, r)
}

// keyOf is the key of a conversation's reference.
func keyOf(to pim.Conversation) string {
	if to.User != "" {
		return PersonKey(pim.NewPrincipalID(to.User))
	}
	return withoutThread(to.ID)
}

// met reports whether a personal chat is known to be a person's.
func (c *Client) met(ctx context.Context, who pim.ChatAccount, conversation string) bool {
	r, found, err := c.cfg.References.Reference(ctx, PersonKey(pim.PrincipalID(who.User)))
	return err == nil && found && r.Conversation == conversation
}

// Reopen has a conversation that refused the bot tried again.
func (c *Client) Reopen(ctx context.Context, to pim.Conversation) error {
	r, found, err := c.cfg.References.Reference(ctx, keyOf(to))
	if err != nil || !found || r.Shut == "" {
		return err
	}
	r.Shut, r.ShutAt = "", time.Time{}
	return c.cfg.References.KeepReference(ctx, r)
}

// shut notes that the bot may not write into a conversation, as it was known
// when that was tried: one that opened since, or moved, stays as it is.
func (c *Client) shut(ctx context.Context, tried Reference, code string) {
	now, found, err := c.cfg.References.Reference(ctx, tried.Key)
	if err == nil && found && now != tried {
		return
	}
	tried.Shut, tried.ShutAt = code, c.cfg.Now()
	if err := errors.Join(err, c.cfg.References.KeepReference(ctx, tried)); err != nil {
		c.cfg.Logger.Warn("a conversation's refusal was not noted", "chat", string(pim.Teams), "code", code, "error", err)
	}
}

// find returns where to write for a conversation of the workflow's.
func (c *Client) find(ctx context.Context, to pim.Conversation) (Reference, error) {
	if to.Chat != pim.Teams || to.Workspace != "" && !strings.EqualFold(to.Workspace, c.cfg.TenantID) {
		return Reference{}, pim.Errorf(pim.Forbidden, "That conversation is not in the Teams of this tenant.")
	}
	key := keyOf(to)
	r, found, err := c.cfg.References.Reference(ctx, key)
	switch {
	case err != nil:
		return Reference{}, err
	case found && r.Refuses(c.cfg.Now()):
		return Reference{}, refused(r.Shut)
	case found:
		return r, nil
	case to.User != "":
		return Reference{}, pim.Errorf(pim.Forbidden, "Elevate cannot write to that person in Teams: they have not added the app to their chats yet.")
	case to.ID == "":
		return Reference{}, pim.Errorf(pim.NotFound, "That is no conversation in Teams.")
	}
	// From the settings, and nothing came from there yet.
	kind := channel
	if !strings.HasSuffix(key, "@thread.tacv2") && !strings.HasSuffix(key, "@thread.skype") {
		kind = groupChat
	}
	return Reference{Key: key, Conversation: key, Kind: kind, ServiceURL: c.cfg.ServiceURL}, nil
}

// left notes that the bot was removed from a conversation.
func (c *Client) left(ctx context.Context, a *received, who pim.ChatAccount) error {
	key := withoutThread(a.Conversation.ID)
	if a.Conversation.ConversationType == personal && !who.IsZero() {
		key = PersonKey(pim.PrincipalID(who.User))
	}
	r, found, err := c.cfg.References.Reference(ctx, key)
	if err != nil || !found {
		return err
	}
	r.Shut, r.ShutAt = "BotNotInConversationRoster", c.cfg.Now()
	return c.cfg.References.KeepReference(ctx, r)
}
