package workflowtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

var (
	_ workflow.Messenger = (*Messenger)(nil)
	_ workflow.Homer     = (*Messenger)(nil)
	_ workflow.Whisperer = (*Messenger)(nil)
)

// Message is a message that stands in a chat.
type Message struct {
	Ref   pim.MessageRef
	Cards []card.Card // as it was posted, and each time it was rewritten
	Times []time.Time // when
}

// Card is what the message shows now.
func (m Message) Card() card.Card { return m.Cards[len(m.Cards)-1] }

// Messenger is a chat that remembers what was posted to it.
type Messenger struct {
	Faults
	Now func() time.Time

	mu       sync.Mutex
	messages []Message
	posted   int // of all times
	accounts map[pim.ChatAccount]error
	places   map[string]error // what is wrong with a place, by its name
	homes    map[pim.ChatAccount][]card.Card
	whispers []Whispered
}

// Whispered is what one account was shown where others are too.
type Whispered struct {
	At   pim.Conversation
	To   pim.ChatAccount
	Card card.Card
}

// NewMessenger returns an empty chat.
func NewMessenger(now func() time.Time) *Messenger {
	return &Messenger{Now: now, accounts: map[pim.ChatAccount]error{}, places: map[string]error{}, homes: map[pim.ChatAccount][]card.Card{}}
}

// Post puts a card into a place.
func (m *Messenger) Post(ctx context.Context, to pim.Conversation, c card.Card) (pim.MessageRef, error) {
	return run(ctx, &m.Faults, OpPost, func() (pim.MessageRef, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if err := m.places[to.String()]; err != nil {
			return pim.MessageRef{}, err
		}
		channel := to.ID
		if channel == "" {
			channel = "direct-" + to.User
		}
		m.posted++
		ref := pim.MessageRef{Conversation: to, ID: fmt.Sprintf("m%d", m.posted), Channel: channel}
		if to.User == "" && to.Thread == "" && to.Chat == pim.Slack { // Teams' places here are group chats
			ref.Thread = ref.ID
		}
		if to.Thread != "" && !slices.ContainsFunc(m.messages, func(one Message) bool { return one.Ref.Thread == to.Thread && one.Ref.Channel == channel }) {
			return pim.MessageRef{}, pim.Errorf(pim.NotFound, "There is no such thread.")
		}
		m.messages = append(m.messages, Message{Ref: ref, Cards: []card.Card{c}, Times: []time.Time{m.Now()}})
		return ref, nil
	})
}

// Update rewrites a message.
func (m *Messenger) Update(ctx context.Context, ref pim.MessageRef, c card.Card) error {
	_, err := run(ctx, &m.Faults, OpUpdate, func() (struct{}, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for i := range m.messages {
			if m.messages[i].Ref.ID == ref.ID && m.messages[i].Ref.Channel == ref.Channel {
				m.messages[i].Cards, m.messages[i].Times = append(m.messages[i].Cards, c), append(m.messages[i].Times, m.Now())
				return struct{}{}, nil
			}
		}
		return struct{}{}, pim.Errorf(pim.NotFound, "There is no such message.")
	})
	return err
}

// ShowHome shows a person's page.
func (m *Messenger) ShowHome(ctx context.Context, a pim.ChatAccount, c card.Card) error {
	_, err := run(ctx, &m.Faults, OpHome, func() (struct{}, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.homes[a] = append(m.homes[a], c)
		return struct{}{}, nil
	})
	return err
}

// Whisper shows something to one account in a place.
func (m *Messenger) Whisper(ctx context.Context, at pim.Conversation, to pim.ChatAccount, c card.Card) error {
	_, err := run(ctx, &m.Faults, OpWhisper, func() (struct{}, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if err := m.places[at.String()]; err != nil {
			return struct{}{}, err
		}
		m.whispers = append(m.whispers, Whispered{at, to, c})
		return struct{}{}, nil
	})
	return err
}

// Whispers is all that was whispered, oldest first.
func (m *Messenger) Whispers() []Whispered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.whispers)
}

// Homes are an account's pages, one for each time that it was shown.
func (m *Messenger) Homes(a pim.ChatAccount) []card.Card {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.homes[a])
}

// Account says whether an account may be used.
func (m *Messenger) Account(ctx context.Context, a pim.ChatAccount) error {
	_, err := run(ctx, &m.Faults, OpAccount, func() (struct{}, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return struct{}{}, m.accounts[a]
	})
	return err
}

// Close makes an account one that may not be used.
func (m *Messenger) Close(a pim.ChatAccount, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[a] = why
}

// Shut makes posting to a place fail; nil opens it again.
func (m *Messenger) Shut(to pim.Conversation, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.places[to.String()] = why
}

// Remove deletes a message, as a person would.
func (m *Messenger) Remove(ref pim.MessageRef) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = slices.DeleteFunc(m.messages, func(one Message) bool { return one.Ref == ref })
}

// In returns the messages that stand in a place, oldest first.
func (m *Messenger) In(to pim.Conversation) []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Message
	for _, one := range m.messages {
		if one.Ref.Conversation.String() == to.String() {
			found = append(found, Message{Ref: one.Ref, Cards: slices.Clone(one.Cards), Times: slices.Clone(one.Times)})
		}
	}
	return found
}

// All returns every message, oldest first.
func (m *Messenger) All() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

// Text is everything that a card says, for a test to look for words.
func Text(c card.Card) string {
	var said strings.Builder
	said.WriteString(c.Title + "\n" + c.Fallback + "\n")
	lines := append(append([]card.Text{}, c.Lines...), c.Notes...)
	for _, f := range c.Facts {
		lines = append(lines, card.Join(card.Plain(f.Label+": "), f.Value))
	}
	for _, s := range c.Steps {
		lines = append(lines, s.What)
	}
	for _, s := range c.Sections {
		lines = append(lines, card.Plain(s.Title))
		for _, row := range s.Rows {
			lines = append(lines, row.Text)
			for _, b := range row.Buttons {
				lines = append(lines, card.Plain("["+b.Label+"]"))
			}
		}
	}
	for _, l := range lines {
		for _, span := range l {
			said.WriteString(span.Plain + span.Strong + span.Typed + span.Code + span.Link.Label)
		}
		said.WriteString("\n")
	}
	return said.String()
}
