package signin

import (
	"errors"
	"net/http"
	"net/url"

	"elevate/internal/pim"
	"elevate/internal/store"
)

const (
	// maxQuery is the longest query that is looked at: codes of Entra's are long.
	maxQuery = 16 << 10
	// maxForm is the longest form.
	maxForm = 4 << 10
)

// An answer is a page, or the way to somewhere else.
type answer struct {
	page     *page
	location string
	cookie   *http.Cookie
}

// Handler serves the sign-in pages and the callbacks of both issuers.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /auth/start", s.serve(s.show))
	mux.Handle("POST /auth/start", s.serve(s.begin))
	mux.Handle("GET "+entraCallback, s.serve(s.fromEntra))
	mux.Handle("GET "+slackCallback, s.serve(s.fromSlack))
	// The pattern GET takes HEAD too, and a HEAD must not spend a state.
	mux.Handle("HEAD "+entraCallback, s.serve(onlyGet))
	mux.Handle("HEAD "+slackCallback, s.serve(onlyGet))
	return mux
}

func onlyGet(*http.Request) (answer, error) {
	return answer{}, &refusal{why: "HEAD", err: pim.Errorf(pim.Invalid, "This address is for browsers that come back from a sign-in.")}
}

// serve runs a step and writes its answer. Neither query nor form ever reaches the log.
func (s *Service) serve(step func(*http.Request) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.pages.head(w.Header())
		a, err := s.bounded(step, r)
		if err != nil {
			a.page, a.location = s.failed(r, err), ""
		}
		if a.cookie != nil {
			http.SetCookie(w, a.cookie)
		}
		if a.location != "" {
			w.Header().Set("Location", a.location)
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		s.pages.write(w, a.page)
	})
}

func (s *Service) bounded(step func(*http.Request) (answer, error), r *http.Request) (answer, error) {
	if !s.limit.AllowN(s.cfg.Now(), 1) && !s.invited(r) {
		return answer{}, &refusal{why: "too many calls", err: pim.Errorf(pim.Throttled, "Too many people sign in at once. Wait a few seconds and try again.")}
	}
	if len(r.URL.RawQuery) > maxQuery {
		return answer{}, &refusal{why: "query too long", err: pim.Errorf(pim.Invalid, "This address is not one that Elevate made. Ask for a new sign-in link.")}
	}
	return step(r)
}

// invited reports whether a call names a link or a way back that Elevate has given out, within what its chat account may
// take. Others' calls cost it nothing.
func (s *Service) invited(r *http.Request) bool {
	if len(r.URL.RawQuery) > maxQuery {
		return false
	}
	token, hash := one(r.URL.Query(), "t"), linkHash
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
		if r.ParseForm() != nil {
			return false
		}
		token = one(r.PostForm, "t")
	}
	switch r.URL.Path {
	case entraCallback:
		token, hash = one(r.URL.Query(), "state"), func(state string) string { return stateHash(legEntra, state) }
	case slackCallback:
		token, hash = one(r.URL.Query(), "state"), func(state string) string { return stateHash(legSlack, state) }
	}
	if !isToken(token) {
		return false
	}
	var ticket store.Ticket
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		ticket, _, err = tx.Ticket(hash(token))
		return err
	})
	return err == nil && !ticket.Account.IsZero() && s.own.Allow(ticket.Account.String(), s.cfg.Now())
}

// failed makes the page of an error, and the line of the log.
func (s *Service) failed(r *http.Request, err error) *page {
	var why *refusal
	if !errors.As(err, &why) {
		said := pim.Explain(err)
		// What is no refusal comes from the state file or the keyset, and holds nothing of the browser's.
		s.cfg.Logger.Error("sign-in failed", "path", r.URL.Path, "error", err)
		return errorPage(said)
	}
	s.cfg.Logger.Info("sign-in refused", "path", r.URL.Path, "why", why.why)
	s.cfg.Count("sign_in_" + string(why.err.Kind))
	if why.page != nil {
		return why.page
	}
	return errorPage(why.err)
}

// one returns a parameter that came exactly once.
func one(values url.Values, name string) string {
	if len(values[name]) != 1 {
		return ""
	}
	return values[name][0]
}
