package workflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// turn has every card of a request drawn anew, in every place and both chats,
// from the state as it is when that happens.
func (s *Service) turn(tx *store.Tx, r *pim.Request) error {
	spots, err := s.spots(tx, r)
	if err != nil {
		return err
	}
	if err := s.putCards(tx, r, spots); err != nil {
		return err
	}
	return s.turnCrowds(tx, r)
}

// putCards has the cards of a request drawn in these places.
func (s *Service) putCards(tx *store.Tx, r *pim.Request, spots []spot) error {
	for _, at := range spots {
		if s.cfg.Messengers[at.to.Chat] == nil {
			continue
		}
		e, err := cardEffect(r, at.to, at.viewer)
		if err != nil {
			return err
		}
		if err := tx.PutEffect(e); err != nil {
			return err
		}
	}
	return nil
}

// turnEach turns the cards of each of these requests.
func (s *Service) turnEach(tx *store.Tx, requests []pim.Request) error {
	for i := range requests {
		if err := s.turn(tx, &requests[i]); err != nil {
			return err
		}
	}
	return nil
}

// spot is a place where a card of a request stands or is to stand.
type spot struct {
	to     pim.Conversation
	viewer card.Viewer
}

// spots are the places where cards stand already and those where the state
// wants one.
func (s *Service) spots(tx *store.Tx, r *pim.Request) ([]spot, error) {
	refs, err := tx.Refs(r.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.wantedSpots(tx, r)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		all = append(all, spot{ref.Conversation, card.Viewer(ref.Audience)})
	}
	var spots []spot
	for _, at := range all {
		if !slices.Contains(spots, at) {
			spots = append(spots, at)
		}
	}
	return spots, nil
}

// wantedSpots are the places where the state wants a card.
func (s *Service) wantedSpots(tx *store.Tx, r *pim.Request) (spots []spot, err error) {
	role, _ := s.cfg.Roles.Named(r.Role)
	if wanted(r, card.Approvers) {
		direct, err := s.approversDirect(tx, r, role)
		if err != nil {
			return nil, err
		}
		asked := slices.Concat(role.Ask, direct)
		if !r.Escalated.IsZero() {
			asked = append(asked, role.Remind.Escalate...)
		}
		for _, to := range asked {
			spots = append(spots, spot{to, card.Approvers})
		}
	}
	if wanted(r, card.Requester) {
		spots = append(spots, spot{pim.DirectTo(r.Requester.Account), card.Requester})
	}
	if wanted(r, card.OnCall) {
		for _, to := range role.Notify {
			spots = append(spots, spot{to, card.OnCall})
		}
	}
	return spots, nil
}

// wanted reports whether the state wants a card for a viewer where none stands.
func wanted(r *pim.Request, v card.Viewer) bool {
	switch v {
	case card.Approvers:
		return r.State == pim.Pending && r.Decided == nil
	case card.Requester:
		quiet := r.State == pim.WaitingForSignIn || r.State == pim.Submitting && !r.Waits() ||
			(r.State == pim.Canceled && r.Copy.ID == "" && r.Why == "")
		return !quiet && !r.Requester.Account.IsZero()
	case card.OnCall:
		return !r.MemberSince.IsZero() || r.Late || r.Review != nil
	}
	return false
}

// scene is what a card effect reads in one go.
type scene struct {
	request pim.Request
	refs    []store.Ref
	view    card.View
	// missing is set when the state wants a card there and Elevate posted none, and
	// room when there are not too many others for it.
	missing, room bool
	// steps are what on-call is told of below the card, and the requester in messages of their own.
	steps []card.Told
	// heard are those that were told there with one of the cards.
	heard []string
	// crowded is set when requests wait there without a card.
	crowded bool
	// onCall are to be mentioned by a first card.
	onCall []card.OnCallPerson
	// stranger is set when the place belongs to an account that may not hear of the request any more.
	stranger bool
}

// card posts or rewrites the cards of one request in one place.
func (s *Service) card(ctx context.Context, e store.Effect) (result, error) {
	p, err := dataOf[place](e)
	if err != nil {
		return result{}, err
	}
	messenger := s.cfg.Messengers[e.To.Chat]
	if messenger == nil {
		return result{park: "This chat is not set up any more."}, nil
	}
	sc, err := s.sceneAt(e, spot{e.To, p.Audience}, p.Again)
	if err != nil {
		return result{}, err
	}
	drawn := s.draw(sc)
	switch {
	case p.Again && sc.crowded && !sc.stranger:
		return result{apply: func(tx *store.Tx) error { return s.remindOfCrowd(tx, e.To) }}, nil
	case p.Again && !sc.stranger && wanted(&sc.request, p.Audience):
		return s.postAgain(ctx, messenger, e, sc, drawn)
	case sc.missing && !sc.stranger && !sc.room:
		return result{apply: func(tx *store.Tx) error { return s.without(tx, e.Request, spot{e.To, p.Audience}) }}, nil
	case sc.missing && !sc.stranger: // nothing new for whoever may not hear of it
		return s.post(ctx, messenger, e, p, sc, drawn)
	}
	return s.rewrite(ctx, messenger, sc, drawn, spot{e.To, p.Audience})
}

// sceneAt reads what a card effect needs, in one go.
func (s *Service) sceneAt(e store.Effect, at spot, again bool) (sc scene, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if sc, err = s.scene(tx, e, at.viewer); err != nil {
			return err
		}
		if sc.missing, err = s.missing(tx, &sc, at); err != nil {
			return err
		}
		if (sc.missing || again) && at.viewer == card.OnCall {
			if sc.onCall, err = s.onCallNow(tx, at.to); err != nil {
				return err
			}
		}
		return s.seeRoom(tx, &sc, at)
	})
	return sc, err
}

// seeRoom looks whether there is room for one more card in a place.
func (s *Service) seeRoom(tx *store.Tx, sc *scene, at spot) (err error) {
	switch at.viewer {
	case card.OnCall:
		sc.room, err = roomOnCall(tx, &sc.request, at.to)
	case card.Approvers:
		if sc.room, err = roomApprovers(tx, &sc.request, at.to); err == nil {
			sc.crowded, err = crowded(tx, at.to)
		}
	case card.Requester:
		sc.room = true
	}
	return err
}

// without has a request told of in a place where there is no room for its card.
func (s *Service) without(tx *store.Tx, id pim.RequestID, at spot) error {
	if at.viewer == card.OnCall {
		return s.sum(tx, id, at.to)
	}
	return s.waitForRoom(tx, id, at.to)
}

// noteFirst notes that a request's first card was posted in a place.
func noteFirst(tx *store.Tx, id pim.RequestID, at spot) error {
	switch at.viewer {
	case card.OnCall:
		return noteCame(tx, at.to)
	case card.Approvers:
		return noteAsked(tx, id, at.to)
	case card.Requester:
	}
	return nil
}

// missing reports whether a first card has to be posted. One that Elevate posted
// counts also when somebody deleted it; a message that only a client named never
// does, so that nobody keeps a card from a place by naming another message. Such
// a one does not make its place one where cards are wanted, either.
func (s *Service) missing(tx *store.Tx, sc *scene, at spot) (bool, error) {
	if slices.ContainsFunc(sc.refs, func(r store.Ref) bool { return r.Adopted.IsZero() }) {
		return false, nil
	}
	if len(sc.refs) == 0 {
		return wanted(&sc.request, at.viewer), nil
	}
	all, err := s.wantedSpots(tx, &sc.request)
	return slices.Contains(all, at), err
}

// draw draws a request's card. One of a role that is not in the settings any
// more says so, and offers nothing to decide.
func (s *Service) draw(sc scene) card.Card {
	role, ok := s.cfg.Roles.Named(sc.request.Role)
	if sc.stranger {
		return card.NotKept(sc.request.ID)
	}
	drawn := card.ForRequest(sc.request, role, sc.view)
	if ok && role.Group == sc.request.Group || !sc.request.State.Open() {
		return drawn
	}
	drawn.Lines = append(drawn.Lines, card.Plain("This role is not in Elevate's settings any more. Elevate follows the request to its end; decide it in PIM."))
	drawn.Buttons = slices.DeleteFunc(drawn.Buttons, func(b card.Button) bool {
		return b.Act == card.Approve || b.Act == card.ApproveWithReason || b.Act == card.Deny
	})
	return drawn
}

func (s *Service) scene(tx *store.Tx, e store.Effect, v card.Viewer) (scene, error) {
	r, err := tx.Request(e.Request)
	if err != nil {
		return scene{}, err
	}
	sc := scene{request: r, view: card.View{Viewer: v, Now: tx.Now(), Chat: e.To.Chat, ApproverNames: r.Approvers, PortalURL: s.cfg.PIMPage}}
	if known, ok := s.policies.get(r.Group, tx.Now(), policyUse); ok {
		sc.view.ApproverNames = known.names(r.Principal, r.Requester.Person)
	}
	sc.view.Unchecked = s.unchecked(&r, tx.Now())
	if sc.stranger, err = s.stranger(tx, &r, e.To); err != nil {
		return scene{}, err
	}
	refs, err := tx.Refs(r.ID)
	if err != nil {
		return scene{}, err
	}
	for _, ref := range refs {
		if ref.Conversation.String() == e.To.String() && ref.Audience == string(v) {
			sc.refs, sc.heard = append(sc.refs, ref), append(sc.heard, ref.Said...)
		}
	}
	if e.To.User == "" {
		sc.view.Personal = s.personal(&r, e.To)
	}
	if role, _ := s.cfg.Roles.Named(r.Role); !sc.stranger {
		sc.steps = stepsFor(v, r, role)
	}
	if v == card.OnCall { // it is not asked to decide, so its card says nothing of that
		return sc, nil
	}
	return sc, s.viewAsking(tx, &r, e.To, &sc.view)
}

// viewAsking adds who could not be reached, what PIM refused, and what helps to decide.
func (s *Service) viewAsking(tx *store.Tx, r *pim.Request, at pim.Conversation, v *card.View) (err error) {
	if v.Unreached, err = s.unreached(tx, r); err != nil {
		return err
	}
	s.viewClosed(r, at, v)
	if err := s.viewRefusal(tx, r, v); err != nil || r.State != pim.Pending {
		return err // what helps to decide costs more the more people have the role
	}
	if v.Others, err = holders(tx, r); err != nil {
		return err
	}
	v.Seen, err = seenBefore(tx, r)
	return err
}

// personal are the accounts that have buttons of their own on a card that many
// see, in a chat whose accounts are the people themselves.
func (s *Service) personal(r *pim.Request, at pim.Conversation) []pim.ChatAccount {
	known, ok := s.policies.get(r.Group, s.cfg.Now(), ever)
	if at.Chat != pim.Teams || !r.State.Open() || !ok {
		return nil
	}
	ids := slices.Collect(maps.Keys(known.approvers))
	if r.Principal != "" {
		ids = append(ids, r.Principal, r.Requester.Person)
	}
	slices.Sort(ids)
	var accounts []pim.ChatAccount
	for _, id := range slices.Compact(ids) {
		if id != "" {
			accounts = append(accounts, pim.ChatAccount{Chat: pim.Teams, Workspace: string(s.cfg.Tenant), User: string(id)})
		}
	}
	return accounts
}

// holders are the others who have the role now.
func holders(tx *store.Tx, r *pim.Request) ([]card.Holder, error) {
	active, err := tx.OpenInGroup(r.Group, pim.Active)
	if err != nil {
		return nil, err
	}
	var held []card.Holder
	for _, o := range active {
		if o.ID != r.ID {
			held = append(held, card.Holder{Name: o.Requester.Name, Until: o.Ends})
		}
	}
	return held, nil
}

// seenMost bounds how many earlier requests of a person are counted.
const seenMost = 100

// seenBefore counts how often the person had the role in the last 30 days.
func seenBefore(tx *store.Tx, r *pim.Request) (card.Seen, error) {
	month := tx.Now().Add(-30 * 24 * time.Hour)
	earlier, err := tx.OfPerson(r.Principal, time.Time{}, seenMost)
	if err != nil {
		return card.Seen{}, err
	}
	seen := card.Seen{First: true}
	for _, o := range earlier {
		if o.Role != r.Role || o.MemberSince.IsZero() || o.ID == r.ID {
			continue
		}
		seen.First = false
		if o.MemberSince.After(month) {
			seen.Times30d++
		}
	}
	return seen, nil
}

// post puts a first card into a place. Other messages that show the request there
// are drawn anew by the same effect once more, after this one is stored.
func (s *Service) post(ctx context.Context, m Messenger, e store.Effect, p place, sc scene, drawn card.Card) (result, error) {
	first := drawn
	if len(sc.onCall) > 0 {
		// Nobody is mentioned again when the card turns: it is stored as one that names nobody.
		sc.view.OnCall = sc.onCall
		first = s.draw(sc)
	}
	ref, err := m.Post(ctx, e.To, first)
	if err != nil {
		return givenUp(err)
	}
	stored := store.Ref{MessageRef: placed(ref, e.To), Audience: string(p.Audience), Hash: hashOf(drawn)}
	for _, step := range sc.steps {
		stored.Said = append(stored.Said, step.Name) // the card says it
	}
	return result{apply: func(tx *store.Tx) error {
		if err := tx.PutRef(sc.request.ID, stored); err != nil {
			return err
		}
		if err := errors.Join(noteFirst(tx, sc.request.ID, spot{e.To, p.Audience}), s.whisperSaid(tx, &sc, stored.Said)); err != nil || len(sc.refs) == 0 {
			return err
		}
		return tx.PutEffect(e)
	}}, nil
}

// postAgain puts a card into a place where one stands already, for those who
// have not seen that. Both turn with the request.
func (s *Service) postAgain(ctx context.Context, m Messenger, e store.Effect, sc scene, drawn card.Card) (result, error) {
	reminder := drawn
	if sc.view.Viewer == card.OnCall {
		sc.view.OnCall = sc.onCall
		reminder = s.draw(sc)
	}
	ref, err := m.Post(ctx, e.To, reminder)
	if err != nil {
		return givenUp(err)
	}
	stored := store.Ref{MessageRef: placed(ref, e.To), Audience: string(sc.view.Viewer), Hash: hashOf(reminder)}
	return result{apply: func(tx *store.Tx) error { return tx.PutRef(sc.request.ID, stored) }}, nil
}

// goneCard marks a posted message that the chat does not know any more: whoever
// deleted it does not get it again.
const goneCard = "gone"

// rewrite draws the cards that stand in a place anew, unless they show it already:
// those that Elevate posted first. What was done is stored also when the next one
// fails, so that trying again is about the rest.
func (s *Service) rewrite(ctx context.Context, m Messenger, sc scene, drawn card.Card, at spot) (result, error) {
	hash, refs := hashOf(drawn), sc.refs
	slices.SortStableFunc(refs, func(a, b store.Ref) int { return a.Adopted.Compare(b.Adopted) })
	var changed []store.Ref
	var replies []below
	var refused error
	note := func(tx *store.Tx) error {
		return errors.Join(noteDrawn(tx, drawn.Request, changed), s.reply(tx, &sc.request, replies), s.turnSummary(tx, &sc.request, at))
	}
	for _, ref := range refs {
		if ref.Hash == hash || ref.Hash == goneCard {
			continue
		}
		err := m.Update(ctx, ref.MessageRef, drawn)
		switch kind := pim.Explain(err).Kind; {
		case err == nil:
			ref.Hash = hash
			replies = append(replies, repliesBelow(&ref, &sc)...)
		case kind == pim.NotFound, !ref.Adopted.IsZero() && (kind == pim.Forbidden || kind == pim.Invalid):
			ref.Hash = goneCard
		case kind == pim.Forbidden || kind == pim.Invalid:
			refused = errors.Join(refused, err) // it may be about this message alone
			continue
		default:
			if len(changed) > 0 {
				err = errors.Join(err, s.update(note))
			}
			return givenUp(err)
		}
		changed = append(changed, ref)
	}
	if refused != nil {
		return givenUp(errors.Join(refused, s.update(note)))
	}
	return result{apply: note}, nil
}

// noteDrawn stores which messages show what. A message that was only named and
// is gone is forgotten; one that is another request's by now is left to it.
func noteDrawn(tx *store.Tx, id pim.RequestID, changed []store.Ref) error {
	for _, ref := range changed {
		owner, _, found, err := tx.RefByMessage(ref.Channel, ref.ID)
		switch {
		case err != nil:
			return err
		case !found || owner != id:
			continue
		case ref.Hash == goneCard && !ref.Adopted.IsZero():
			err = tx.DeleteRef(id, ref)
		default:
			err = tx.PutRef(id, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// givenUp parks what no chat will ever take, else returns the error. What is
// refused now may be mended: a secret that ran out, an app that was taken away.
func givenUp(err error) (result, error) {
	if said := pim.Explain(err); said.Kind == pim.Invalid {
		return result{park: said.Message}, nil
	}
	return result{}, err
}

// hashOf names what a card shows.
func hashOf(c card.Card) string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // unreachable: a card is plain data
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// viewerIn says for whom a card in a place was drawn. Where approvers and
// on-call share a place, the approvers' says what both need.
func (s *Service) viewerIn(r *pim.Request, at pim.Conversation) card.Viewer {
	role, _ := s.cfg.Roles.Named(r.Role)
	switch {
	case !r.Requester.Account.IsZero() && at == pim.DirectTo(r.Requester.Account):
		return card.Requester
	case slices.Contains(role.Notify, at) && !slices.Contains(role.Ask, at):
		return card.OnCall
	}
	return card.Approvers
}
