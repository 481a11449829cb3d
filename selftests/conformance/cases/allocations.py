# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocations: RFC 8656 sections 5 to 8."""

import os
import struct

from checks import refused, same
from suite import (DATAGRAMS, FORBIDDEN, PEER, RELAY, SERVER, ask, case,
                   is_error, is_success, lacks, send_all, signed, unanswered)
from turnmessage import (ADDITIONAL_ADDRESS_FAMILY, ADDRESS_ERROR_CODE,
                         ALLOCATE, DONT_FRAGMENT, ERROR_CODE, EVEN_PORT,
                         INDICATION, LIFETIME, REFRESH,
                         REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT,
                         RESERVATION_TOKEN, SEND, Message)

UDP = REQUESTED_TRANSPORT, b"\x11\0\0\0"
IPV4, IPV6 = b"\x01\0\0\0", b"\x02\0\0\0"
RESERVE = EVEN_PORT, b"\x80"


def allocate(c, *attributes, udp=True):
    return send_all(c, ALLOCATE, *((UDP,) if udp else ()), *attributes)


@case("8656 5")
def no_allocation(w):
    """437 for requests without an allocation"""
    c = w.client()
    for request, *arguments in ((c.refresh,), (c.refresh, 0),
                                (c.permit, PEER[4]),
                                (c.bind, 0x4000, (PEER[4], 9))):
        refused(437, request, *arguments)


@case("8656 5")
def data_without_allocation(w):
    """data without an allocation is ignored"""
    peer = w.peer()
    c = w.client()
    unanswered(c, Message(SEND, INDICATION).add_peer(peer.addr)
               .add(0x0013, b"data").bytes(),
               struct.pack("!HH", 0x4000, 4) + b"data")


@case("8656 6")
def unique(w):
    """relayed addresses are of one allocation only"""
    relays = [w.allocated().relayed for _ in range(12)]
    same(len(set(relays)), 12, "relayed addresses")


@case("8656 7.2")
def no_transport(w):
    """400 without REQUESTED-TRANSPORT"""
    is_error(allocate(w.client(), udp=False), 400)


@case("8656 7.2")
def other_transport(w):
    """442 for transports other than UDP and TCP"""
    c = w.client()
    for number in (0, 1, 132, 255):
        is_error(allocate(c, (REQUESTED_TRANSPORT, bytes([number, 0, 0, 0])),
                          udp=False), 442)


@case("8656 7.2")
def default_family(w):
    """IPv4 without REQUESTED-ADDRESS-FAMILY"""
    for family in (4, 6):
        same(list(w.client(family).allocate().relays), [4], "families")


@case("8656 7.2")
def requested_family(w):
    """the address family that is requested"""
    for family, value in ((4, IPV4), (6, IPV6)):
        c = w.client()
        answer = allocate(c, (REQUESTED_ADDRESS_FAMILY, value))
        is_success(answer)
        same(list(answer.relays), [family], "families")


@case("8656 7.2")
def strange_family(w):
    """440 for an address family that is not IPv4 or IPv6"""
    c = w.client()
    for number in (0, 3, 255):
        is_error(allocate(c, (REQUESTED_ADDRESS_FAMILY,
                              bytes([number, 0, 0, 0]))), 440)


@case("8656 7.2", server="v4")
def family_unsupported(w):
    """440 for the address family that the server lacks"""
    c = w.minted("family")
    is_error(allocate(c, (REQUESTED_ADDRESS_FAMILY, IPV6)), 440)
    is_success(allocate(c, (REQUESTED_ADDRESS_FAMILY, IPV4)))


@case("8656 7.2", server="v6")
def no_ipv4(w):
    """440 without REQUESTED-ADDRESS-FAMILY where there is no IPv4"""
    c = w.client()
    is_error(allocate(c), 440)
    is_error(allocate(c, (REQUESTED_ADDRESS_FAMILY, IPV4)), 440)
    is_success(allocate(c, (REQUESTED_ADDRESS_FAMILY, IPV6)))


@case("8656 7.2", server="v4")
def half_unsupported(w):
    """ADDRESS-ERROR-CODE for the one of two that can't be had"""
    c = w.minted("half")
    answer = allocate(c, (ADDITIONAL_ADDRESS_FAMILY, IPV6))
    is_success(answer)
    same(list(answer.relays), [4], "families")
    value = answer.get(ADDRESS_ERROR_CODE)
    same((value[0], value[1], value[2] & 0xF8), (2, 0, 0),
         "family and reserved bits")
    same((value[2] & 7) * 100 + value[3], 440, "code")
    same(len(value[4:].decode()) < 128, True, "reason")
    lacks(answer, ERROR_CODE)


@case("8656 7.2", server="v4")
def quota(w):
    """486 beyond the user's quota, whatever the client's address"""
    a, b = w.minted("quota"), w.minted("quota", family=6)
    a.allocate()
    is_error(allocate(b), 486)
    other = w.minted("other")
    other.allocate()
    a.refresh(0)
    is_success(allocate(b))


@case("8656 7.1")
def dual(w):
    """a relayed address of each family"""
    answer = allocate(w.client(), (ADDITIONAL_ADDRESS_FAMILY, IPV6))
    is_success(answer)
    same({f: a[0] for f, a in answer.relays.items()}, RELAY, "addresses")


@case("8656 7.1")
def two_families(w):
    """400 for both address family attributes"""
    c = w.client()
    is_error(allocate(c, (REQUESTED_ADDRESS_FAMILY, IPV6),
                      (ADDITIONAL_ADDRESS_FAMILY, IPV6)), 400)


@case("8656 7.1")
def additional_ipv4(w):
    """400 for ADDITIONAL-ADDRESS-FAMILY that is not IPv6"""
    is_error(allocate(w.client(), (ADDITIONAL_ADDRESS_FAMILY, IPV4)), 400)


@case("8656 7.1")
def additional_reserved(w):
    """400 for ADDITIONAL-ADDRESS-FAMILY with a reservation"""
    is_error(allocate(w.client(), (ADDITIONAL_ADDRESS_FAMILY, IPV6), RESERVE),
             400)


@case("8656 7.1")
def token_and_more(w):
    """400 for RESERVATION-TOKEN with what it does not go with"""
    token = RESERVATION_TOKEN, os.urandom(8)
    for other in ((EVEN_PORT, b"\0"), RESERVE,
                  (REQUESTED_ADDRESS_FAMILY, IPV4),
                  (ADDITIONAL_ADDRESS_FAMILY, IPV6)):
        is_error(allocate(w.client(), token, other), 400)


@case("8656 7.2")
def unknown_token(w):
    """508 for a token that is not valid"""
    is_error(allocate(w.client(), (RESERVATION_TOKEN, os.urandom(8))), 508)


@case("8656 7.2")
def even_port(w):
    """EVEN-PORT: an even port, and the next one for the token's holder"""
    c = w.client()
    answer = allocate(c, (EVEN_PORT, b"\0"))
    same((answer.relay[1] % 2, answer.token), (0, None), "port and token")
    answer = allocate(w.client(), RESERVE)
    same((answer.relay[1] % 2, len(answer.token)), (0, 8), "port and token")
    # Nobody else gets the port while it is reserved.
    second = allocate(w.client(), (RESERVATION_TOKEN, answer.token))
    same(second.relay, (answer.relay[0], answer.relay[1] + 1), "the other")
    is_error(allocate(w.client(), (RESERVATION_TOKEN, answer.token)), 508)


@case("8656 7.2")
def ports(w):
    """ports are from 49152 up, in no order"""
    found = [w.allocated().relayed[1] for _ in range(12)]
    same(min(found) >= 49152, True, f"{found}")
    steps = {b - a for a, b in zip(found, found[1:])}
    same(len(steps) > 8, True, f"steps {steps}")


@case("8656 7.2")
def lifetimes(w):
    """lifetimes from the default up to an hour"""
    for asked, wanted in ((None, 600), (0, 600), (1, 600), (700, 700),
                          (3600, 3600), (0xFFFFFFFF, 3600)):
        more = () if asked is None else ((LIFETIME, struct.pack("!I", asked)),)
        same(allocate(w.client(), *more).lifetime, wanted, f"for {asked}")


@case("8656 7.2")
def lifetime_maximum(w):
    """no lifetime of more than an hour"""
    answer = allocate(w.client(), (LIFETIME, b"\xff" * 4))
    same(answer.lifetime <= 3600, True, answer.lifetime)
    c = w.allocated()
    same(send_all(c, REFRESH, (LIFETIME, b"\xff" * 4)).lifetime <= 3600, True,
         "of a Refresh")


@case("8656 7.2")
def second_allocate(w):
    """437 for another Allocate of the same client"""
    is_error(allocate(w.allocated()), 437)


@case("8656 7.2")
def authenticated(w):
    """401 before everything else that is wrong"""
    c = w.client()
    is_error(send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\xff\0\0\0"),
                      auth=False), 401)
    is_error(send_all(c, ALLOCATE, (0x0DDD, b""), auth=False), 401)


@case("8656 7.2")
def success(w):
    """what a success says"""
    for family in (4, 6):
        c = w.client(family)
        answer = allocate(c)
        same(answer.relay[0], RELAY[4], "XOR-RELAYED-ADDRESS")
        same(answer.mapped, c.local, "XOR-MAPPED-ADDRESS")
        same(answer.lifetime, 600, "LIFETIME")


@case("8656 3.7")
def dont_fragment(w):
    """DONT-FRAGMENT in Allocate is understood"""
    is_success(allocate(w.client(), (DONT_FRAGMENT, b"")))


@case("8656 18.6")
def reserved_ignored(w):
    """the reserved bits of a family, a transport and EVEN-PORT"""
    for attributes in (
            (UDP, (REQUESTED_ADDRESS_FAMILY, b"\x01\xff\xff\xff")),
            ((REQUESTED_TRANSPORT, b"\x11\xff\xff\xff"),),
            (UDP, (EVEN_PORT, b"\x7f"))):
        answer = send_all(w.client(), ALLOCATE, *attributes)
        is_success(answer)
        same(answer.token, None, "reserved")


@case("8656 8.1")
def half_deleted(w):
    """the end of one of two leaves the other's permissions and channels"""
    peers = {4: w.peer(4), 6: w.peer(6)}
    c = w.client()
    c.allocate(additional_family=6)
    c.permit(PEER[4])
    c.permit(PEER[6])
    c.bind(0x4004, peers[4].addr)
    c.bind(0x4006, peers[6].addr)
    c.refresh(0, family=6)
    c.channel_send(0x4006, b"to nobody")
    c.send(peers[6].addr, b"to nobody")
    c.channel_send(0x4004, b"by channel")
    peers[4].gets(b"by channel")
    c.send(peers[4].addr, b"by indication")
    source = peers[4].gets(b"by indication")
    peers[4].sendto(b"back", source)
    same(c.recv_data().data, b"back", "back")
    peers[6].gets_nothing()


@case("8656 8.2")
def refresh_family(w):
    """443 for a Refresh of a family that the allocation has not"""
    c = w.allocated(4)
    refused(443, c.refresh, 600, family=6)
    c = w.allocated(6)
    refused(443, c.refresh, 0, family=4)
    c.refresh(600, family=6)


@case("8656 8.2")
def refresh(w):
    """Refresh: lifetimes, and the end of an allocation"""
    c = w.allocated()
    for asked, wanted in ((None, 600), (1, 600), (3000, 3000), (9999, 3600)):
        same(c.refresh(asked).lifetime, wanted, f"for {asked}")
    same(c.refresh(0).lifetime, 0, "for 0")
    refused(437, c.refresh)
    refused(437, c.permit, PEER[4])


@case("8656 8.2", DATAGRAMS)
def allocate_again(w):
    """after its end a client may allocate again"""
    c = w.allocated()
    c.refresh(0)
    is_success(ask(c, signed(c, ALLOCATE, c.build_allocate)))


@case("8656 21.4", ("udp", "tcp"))
def tunneled(w):
    """403 for clients and peers with addresses of 6to4 and Teredo"""
    for address in ("2002:c000:201::2", "2001:0:c000:201::2"):
        c = w.client(6, local=address)
        is_error(allocate(c), 403)
        c = w.allocated(6)
        refused(403, c.permit, address)
        refused(403, c.bind, 0x4000, (address, 9))


@case("8656 21.2.1")
def local_peers(w):
    """403 for peers of the server's own host"""
    for family in (4, 6):
        c = w.allocated(family)
        refused(403, c.permit, FORBIDDEN[family])
        refused(403, c.bind, 0x4000, (SERVER[family], 22))
