/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each option's value is read; see struct option_def. */
#ifndef _KTURND_OPTION_SET_H
#define _KTURND_OPTION_SET_H

struct config;

/**
 * option_set_listen() - read a value, as struct option_def's @set
 * @cfg: where it goes
 * @value: NUL-terminated, as the operator wrote it
 *
 * The others do the same for the options that they are named after.
 *
 * Return: NULL, or what is wrong in words that last until the next call;
 * OPTION_UNEXPECTED when the option's @expected says it all.
 */
const char *option_set_listen(struct config *cfg, const char *value);
const char *option_set_nat_discovery(struct config *cfg, const char *value);
const char *option_set_transport(struct config *cfg, const char *value);
const char *option_set_tls_cert(struct config *cfg, const char *value);
const char *option_set_tls_key(struct config *cfg, const char *value);
const char *option_set_tls_client_ca(struct config *cfg, const char *value);
const char *option_set_proxy_from(struct config *cfg, const char *value);
const char *option_set_max_connections(struct config *cfg, const char *value);
const char *option_set_relay(struct config *cfg, const char *value);
const char *option_set_external(struct config *cfg, const char *value);
const char *option_set_external_check(struct config *cfg, const char *value);
const char *option_set_relay_ports(struct config *cfg, const char *value);
const char *option_set_channel_range(struct config *cfg, const char *value);
const char *option_set_user_quota(struct config *cfg, const char *value);
const char *option_set_total_quota(struct config *cfg, const char *value);
const char *option_set_max_permissions(struct config *cfg, const char *value);
const char *option_set_max_channels(struct config *cfg, const char *value);
const char *option_set_tcp_relay(struct config *cfg, const char *value);
const char *option_set_max_peer_connections(struct config *cfg,
					    const char *value);
const char *option_set_limit_to_peer(struct config *cfg, const char *value);
const char *option_set_limit_to_client(struct config *cfg, const char *value);
const char *option_set_user_limit_to_peer(struct config *cfg,
					  const char *value);
const char *option_set_user_limit_to_client(struct config *cfg,
					    const char *value);
const char *option_set_total_limit_to_peer(struct config *cfg,
					   const char *value);
const char *option_set_total_limit_to_client(struct config *cfg,
					     const char *value);
const char *option_set_mobility(struct config *cfg, const char *value);
const char *option_set_alternate_server(struct config *cfg, const char *value);
const char *option_set_redirect_above(struct config *cfg, const char *value);
const char *option_set_realm(struct config *cfg, const char *value);
const char *option_set_software(struct config *cfg, const char *value);
const char *option_set_listen_realm(struct config *cfg, const char *value);
const char *option_set_origin_realm(struct config *cfg, const char *value);
const char *option_set_realm_user(struct config *cfg, const char *value);
const char *option_set_realm_secret(struct config *cfg, const char *value);
const char *option_set_token_server_name(struct config *cfg,
					 const char *value);
const char *option_set_token_key(struct config *cfg, const char *value);
const char *option_set_token_key_file(struct config *cfg, const char *value);
const char *option_set_user(struct config *cfg, const char *value);
const char *option_set_secret(struct config *cfg, const char *value);
const char *option_set_user_file(struct config *cfg, const char *value);
const char *option_set_secret_file(struct config *cfg, const char *value);
const char *option_set_db(struct config *cfg, const char *value);
const char *option_set_db_file(struct config *cfg, const char *value);
const char *option_set_allow_peer(struct config *cfg, const char *value);
const char *option_set_deny_peer(struct config *cfg, const char *value);
const char *option_set_source_rate(struct config *cfg, const char *value);
const char *option_set_plane(struct config *cfg, const char *value);
const char *option_set_ingress(struct config *cfg, const char *value);
const char *option_set_workers(struct config *cfg, const char *value);
const char *option_set_state_dir(struct config *cfg, const char *value);
const char *option_set_grace(struct config *cfg, const char *value);
const char *option_set_log_level(struct config *cfg, const char *value);

/**
 * option_clear_listen() - forget the values, as struct option_def's @clear
 * @cfg: where they are
 *
 * The others do the same; passwords and secrets are overwritten.
 */
void option_clear_listen(struct config *cfg);
void option_clear_nat_discovery(struct config *cfg);
void option_clear_transport(struct config *cfg);
void option_clear_tls_cert(struct config *cfg);
void option_clear_tls_key(struct config *cfg);
void option_clear_proxy_from(struct config *cfg);
void option_clear_relay(struct config *cfg);
void option_clear_external(struct config *cfg);
void option_clear_alternate_server(struct config *cfg);
void option_clear_listen_realm(struct config *cfg);
void option_clear_origin_realm(struct config *cfg);
void option_clear_realm_user(struct config *cfg);
void option_clear_realm_secret(struct config *cfg);
void option_clear_token_key(struct config *cfg);
void option_clear_user(struct config *cfg);
void option_clear_secret(struct config *cfg);
void option_clear_allow_peer(struct config *cfg);
void option_clear_deny_peer(struct config *cfg);
void option_clear_ingress(struct config *cfg);

#endif /* _KTURND_OPTION_SET_H */
