package teams

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// message says what was typed to the workflow, before Teams has its answer, so
// that it is not lost when the process ends; what the person sees of it comes after.
func (h *Handler) message(ctx context.Context, a *received, once string) ack {
	who, ok := h.account(a)
	if !ok {
		return h.refuse(http.StatusForbidden, NotAllowed)
	}
	room, ok := h.later.Take(who.User)
	if !ok {
		return h.refuse(http.StatusServiceUnavailable, Busy)
	}
	defer room.Free()
	from, err := h.sender(ctx, a, once)
	if err != nil {
		to := answerTo{from: workflow.Sender{Account: who, Zone: a.zone()}, activity: a}
		if pim.IsKind(err, pim.Forbidden) {
			to.refusal = excuse(err)
		}
		room.Run(ctx, afterwards, func(ctx context.Context) { h.tell(ctx, to, card.Answer(excuse(err))) })
		return accepted
	}
	to := answerTo{from: from, activity: a}
	reply := h.reply(ctx, from, a)
	room.Run(ctx, afterwards, func(ctx context.Context) { h.deliver(ctx, to, reply) })
	return accepted
}

// reply is what the workflow says to a message: typed words, or a button of the
// older kind, which comes as a message with a value.
func (h *Handler) reply(ctx context.Context, from workflow.Sender, a *received) workflow.Reply {
	text := a.typed()
	if text == "" && len(a.extra.Value) > 0 {
		f := readFilled(a.extra.Value)
		if f.Form != "" {
			return h.fill(ctx, from, f)
		}
		return h.click(ctx, from, f, h.clickedRef(a, from, f))
	}
	return h.cfg.Service.Command(ctx, from, words(text))
}

// words are what was typed behind the command's name, which may be left out.
func words(text string) string {
	first, rest, _ := strings.Cut(text, " ")
	switch strings.ToLower(first) {
	case "elevate", "/elevate":
		return strings.TrimSpace(rest)
	}
	return strings.TrimPrefix(text, "/")
}

// answerTo is where an answer goes.
type answerTo struct {
	from     workflow.Sender
	activity *received
	// refusal is what is said where others read it to somebody who may not use
	// Elevate, and so has no chat with it; "" for everybody else.
	refusal string
	// kept takes where the answer stands, if it is one that follows what happens.
	kept func(pim.MessageRef)
}

// deliver carries out a reply after Teams has its answer.
func (h *Handler) deliver(ctx context.Context, to answerTo, reply workflow.Reply) {
	to.kept = reply.Kept
	if reply.Form != nil {
		if drawn, fits := h.client.drawing(to.from.Zone, false).form(*reply.Form, nil, nil); fits {
			h.show(ctx, to, drawn, card.Card{Title: reply.Form.Title, Fallback: reply.Form.Title + "."})
		} else {
			h.tell(ctx, to, card.Answer(insteadOf(*reply.Form)))
		}
	}
	if reply.Card != nil {
		h.tell(ctx, to, *reply.Card)
	}
	if reply.Later != nil {
		h.tell(ctx, to, reply.Later(ctx))
	}
}

// tell shows a card to one person alone.
func (h *Handler) tell(ctx context.Context, to answerTo, c card.Card) {
	drawn, err := h.client.drawing(to.from.Zone, false).in(h.aloneWith(ctx, to)).adaptive(c, nil)
	if err != nil {
		h.undelivered(to, c, err)
		return
	}
	h.show(ctx, to, drawn, c)
}

// aloneWith is the personal chat in which an answer stays; "" while there is none.
// What is shown privately among others passes, so it is never a request's card.
func (h *Handler) aloneWith(ctx context.Context, to answerTo) string {
	if here := to.activity.Conversation; here.ConversationType == personal {
		return here.ID
	}
	r, err := h.client.find(ctx, pim.DirectTo(to.from.Account))
	if err != nil {
		return ""
	}
	return r.Conversation
}

// show posts an answer to one person: into the personal chat, or privately where
// the command was private, else into the personal chat all the same.
func (h *Handler) show(ctx context.Context, to answerTo, drawn element, c card.Card) {
	a := to.activity
	here := Reference{
		Key: withoutThread(a.Conversation.ID), Conversation: a.Conversation.ID,
		Kind: a.Conversation.ConversationType, ServiceURL: a.ServiceURL,
	}
	if here.Kind == personal {
		id, err := h.patiently(ctx, here, message(drawn, c), func() *turn { return &turn{name: "answer"} })
		if err != nil {
			h.undelivered(to, c, err)
			return
		}
		h.stands(ctx, to, c, pim.MessageRef{Conversation: pim.DirectTo(to.from.Account), ID: id, Channel: here.Conversation})
		return
	}
	if a.extra.Recipient.Targeted {
		private := message(drawn, c)
		private.Recipient = schema.ChannelAccount{ID: a.From.ID, Name: a.From.Name}
		quote := element{"type": "targetedMessageInfo", "messageId": a.ID}
		_, err := h.patiently(ctx, here, private, func() *turn {
			return &turn{name: "answer privately", targeted: true, entities: []any{quote}}
		})
		if err == nil || pim.IsKind(err, pim.AnswerLost) {
			return
		}
	}
	h.aside(ctx, to, drawn, c, here)
}

// aside answers in the personal chat what was said among others, and says there
// that it did, so that nobody waits for it. Whoever says much is not told so each time.
func (h *Handler) aside(ctx context.Context, to answerTo, drawn element, c card.Card, here Reference) {
	said, private := to.refusal, to.activity.extra.Recipient.Targeted
	if said == "" {
		err := h.alone(ctx, to, drawn, c)
		said = "I answered in our own chat."
		if err != nil {
			h.undelivered(to, c, err)
			said = notAlone(c)
		}
	}
	if private {
		return // nobody else is told that a private command was given
	}
	if !h.aloud.Allow(to.from.Account.User, h.cfg.Now()) {
		h.cfg.Count(Busy)
		return
	}
	text := schema.Activity{Text: said, ReplyToID: to.activity.ID}
	if _, err := h.patiently(ctx, here, text, func() *turn { return &turn{name: "answer in public"} }); err != nil {
		h.undelivered(to, c, err)
	}
}

// notAlone is said among others to somebody who cannot be written to alone, by what became of their words.
func notAlone(c card.Card) string {
	const add = "Add Elevate to your chats (Apps, Elevate, Add)"
	switch {
	case c.Request == "" || c.Tone == card.Bad:
		return "I cannot write to you alone. " + add + " and say it again there."
	case leads(c):
		return "Your request " + string(c.Request) + " waits for your sign-in, and I cannot show you the link here. " + add + " and type status there within ten minutes."
	}
	return "I did what you asked (request " + string(c.Request) + "), but I cannot write to you alone. " + add + " and type status there."
}

// leads reports whether a card holds a sign-in link.
func leads(c card.Card) bool {
	return slices.ContainsFunc(c.Buttons, func(b card.Button) bool { return b.Act.Leads() })
}

// alone posts an answer into the personal chat.
func (h *Handler) alone(ctx context.Context, to answerTo, drawn element, c card.Card) error {
	private, err := h.client.find(ctx, pim.DirectTo(to.from.Account))
	if err == nil && private.Conversation == "" {
		private, err = h.client.openPersonal(ctx, private)
	}
	if err != nil {
		return err
	}
	id, err := h.patiently(ctx, private, message(drawn, c), func() *turn { return &turn{name: "answer aside"} })
	if err == nil {
		h.stands(ctx, to, c, pim.MessageRef{Conversation: pim.DirectTo(to.from.Account), ID: id, Channel: private.Conversation})
	}
	return err
}

// stands tells the workflow where an answer stands that will be drawn anew.
func (h *Handler) stands(ctx context.Context, to answerTo, c card.Card, ref pim.MessageRef) {
	h.adopt(ctx, to.from, c, ref)
	if to.kept != nil && ref.ID != "" {
		to.kept(ref)
	}
}

// patiently sends an answer, and again when Teams asks to wait a little. Nothing
// of it is stored: what matters of a request comes by its cards, too.
func (h *Handler) patiently(ctx context.Context, r Reference, a schema.Activity, way func() *turn) (string, error) {
	const tries, most = 4, 5 * time.Second
	for try := 1; ; try++ {
		answer, err := h.client.send(ctx, r, r.Conversation, a, way())
		e := pim.Explain(err)
		again := e.Kind == pim.Throttled || e.Kind == pim.Unavailable
		// A second copy is better than silence, but not a third and fourth.
		again = again || e.Kind == pim.AnswerLost && try <= 2
		if err == nil || try == tries || !again || e.RetryAfter > most {
			return answer.ID, err
		}
		timer := time.NewTimer(max(e.RetryAfter, time.Duration(try)*time.Second/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", err
		}
	}
}

// adopt makes an answer about a request one of the request's cards: it stays in
// the chat, so it has to stay true. One that holds a sign-in link keeps it until
// the request turns.
func (h *Handler) adopt(ctx context.Context, from workflow.Sender, c card.Card, ref pim.MessageRef) {
	if c.Request == "" || ref.ID == "" {
		return
	}
	act := card.Refresh
	if leads(c) {
		act = card.SignIn
	}
	from.Place = ref.Conversation // where it stands, not where it was asked for
	h.cfg.Service.Click(ctx, from, workflow.Click{Act: act, Request: c.Request, Ref: ref, Posted: true})
}

func (h *Handler) undelivered(to answerTo, c card.Card, err error) {
	e := pim.Explain(err)
	h.cfg.Count(Undelivered)
	h.cfg.Logger.Warn("an answer was not delivered", "chat", string(pim.Teams), "account", to.from.Account.String(), "request", string(c.Request), "kind", string(e.Kind), "code", e.Code)
}
