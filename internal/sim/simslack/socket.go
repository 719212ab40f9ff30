package simslack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets   = 10
	maxSocketAck = 20 * 1024 // larger acks are dropped without a word
	pingEvery    = 10 * time.Second
)

// sockets are the Socket Mode connections of the app.
type sockets struct {
	mu      sync.Mutex
	tickets map[string]bool
	open    []*socket
	waiting map[string]chan object // acks, by envelope id
	next    int
	done    sync.WaitGroup
}

// socket is one connection.
type socket struct {
	conn    *websocket.Conn
	writing sync.Mutex
}

func newSockets() sockets {
	return sockets{tickets: map[string]bool{}, waiting: map[string]chan object{}}
}

func (s *Server) connectionsOpen(*call) (object, error) {
	if !s.cfg.App.SocketMode {
		return nil, refuse("socket_mode_not_enabled")
	}
	link := s.sockets.ticket(s.cfg.URL, s.cfg.App.ID)
	if link == "" {
		return nil, refuse("too_many_websockets")
	}
	return object{"url": link}, nil
}

// ticket makes a link that opens one connection; empty when there are as many as an app may have.
func (k *sockets) ticket(base, app string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.open) >= maxSockets {
		return ""
	}
	ticket := randomHex(16)
	k.tickets[ticket] = true
	return "ws" + strings.TrimPrefix(base, "http") + "/link/?" + url.Values{"ticket": {ticket}, "app_id": {app}}.Encode()
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.sockets.redeem(r.URL.Query().Get("ticket")) {
		http.Error(w, "invalid ticket", http.StatusUnauthorized)
		return
	}
	upgrader := websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second,
		CheckOrigin:      func(*http.Request) bool { return true }, // clients name Slack's own; the ticket is what counts
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := &socket{conn: conn}
	n := s.sockets.add(c)
	s.stir()
	hello := object{
		"type": "hello", "num_connections": n, "connection_info": object{"app_id": s.App().ID},
		"debug_info": object{"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
	}
	if c.write(hello) == nil {
		s.sockets.serve(c)
	}
	s.sockets.remove(c)
}

// stir wakes those who wait for a connection.
func (s *Server) stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Touch()
}

func (k *sockets) redeem(ticket string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	ok := k.tickets[ticket]
	delete(k.tickets, ticket)
	return ok
}

func (k *sockets) add(c *socket) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = append(k.open, c)
	k.done.Add(1)
	return len(k.open)
}

func (k *sockets) remove(c *socket) {
	k.mu.Lock()
	k.open = slices.DeleteFunc(k.open, func(o *socket) bool { return o == c })
	k.mu.Unlock()
	_ = c.conn.Close()
	k.done.Done()
}

func (c *socket) write(v any) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.conn.WriteJSON(v)
}

// serve reads acks until the connection ends, and sends pings meanwhile.
func (k *sockets) serve(c *socket) {
	stop := make(chan struct{})
	var pings sync.WaitGroup
	pings.Go(func() { c.ping(stop) })
	defer pings.Wait()
	defer close(stop)
	for {
		_, raw, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		ack, ok := decode(raw)
		if !ok || len(raw) > maxSocketAck {
			continue
		}
		k.acknowledge(ack)
	}
}

func (c *socket) ping(stop <-chan struct{}) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if c.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-sandbox"), time.Time{}) != nil {
				return
			}
		}
	}
}

func (k *sockets) acknowledge(ack object) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if waiting := k.waiting[text(ack["envelope_id"])]; waiting != nil {
		waiting <- ack
		delete(k.waiting, text(ack["envelope_id"]))
	}
}

// send delivers over one of the connections, taking turns.
func (k *sockets) send(ctx context.Context, d Delivery) (Ack, error) {
	id := randomHex(16)
	envelope := object{
		"type": string(d.Kind), "envelope_id": id, "payload": d.Payload, "accepts_response_payload": d.Kind != EventsAPI,
	}
	if d.Kind == EventsAPI {
		envelope["retry_attempt"], envelope["retry_reason"] = d.Retry, d.Reason
	}
	c, answer := k.pick(id)
	if c == nil {
		return Ack{}, &DeliveryError{"dispatch_failed", errors.New("no Socket Mode connection")}
	}
	if err := c.write(envelope); err != nil {
		k.forget(id)
		return Ack{}, &DeliveryError{"dispatch_failed", err}
	}
	select {
	case ack := <-answer:
		return socketAck(ack)
	case <-ctx.Done():
		k.forget(id)
		return Ack{}, &DeliveryError{"operation_timeout", ctx.Err()}
	}
}

func socketAck(ack object) (Ack, error) {
	if ack["payload"] == nil {
		return Ack{}, nil
	}
	body, err := json.Marshal(ack["payload"])
	return Ack{Body: body}, err
}

func (k *sockets) pick(id string) (*socket, chan object) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.open) == 0 {
		return nil, nil
	}
	k.next++
	answer := make(chan object, 1)
	k.waiting[id] = answer
	return k.open[k.next%len(k.open)], answer
}

func (k *sockets) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.waiting, id)
}

// Disconnect ends all Socket Mode connections as Slack does: warning, refresh_requested or link_disabled. After a
// warning the connection stays for a while, so only the message is sent.
func (s *Server) Disconnect(reason string) {
	s.sockets.mu.Lock()
	open := slices.Clone(s.sockets.open)
	s.sockets.mu.Unlock()
	for _, c := range open {
		err := c.write(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "applink-sandbox"}})
		if err != nil || reason != "warning" {
			_ = c.conn.Close()
		}
	}
}

// Connections is how many Socket Mode connections the app has open.
func (s *Server) Connections() int {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	return len(s.sockets.open)
}

func (k *sockets) close() {
	k.mu.Lock()
	for _, c := range k.open {
		_ = c.conn.Close()
	}
	k.mu.Unlock()
	k.done.Wait()
}
