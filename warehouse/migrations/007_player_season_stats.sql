-- Seasons of players, from the play-by-play; a player on no list has the name he has there.
CREATE MATERIALIZED VIEW player_season_stats AS
SELECT
    pg.season,
    pg.player_id,
    coalesce(p.name, (array_agg(pg.name ORDER BY g.date DESC, g.game_id DESC))[1]) AS name,
    p.position,
    p.birth_date,
    string_agg(DISTINCT t.franchise, ', ' ORDER BY t.franchise) AS teams,
    count(*)::integer AS games,
    sum(pg.attempts)::integer AS attempts,
    sum(pg.completions)::integer AS completions,
    sum(pg.passing_yards)::integer AS passing_yards,
    sum(pg.passing_tds)::integer AS passing_tds,
    sum(pg.interceptions)::integer AS interceptions,
    sum(pg.sacks)::integer AS sacks,
    sum(pg.sack_yards)::integer AS sack_yards,
    sum(pg.carries)::integer AS carries,
    sum(pg.rushing_yards)::integer AS rushing_yards,
    sum(pg.rushing_tds)::integer AS rushing_tds,
    sum(pg.targets)::integer AS targets,
    sum(pg.receptions)::integer AS receptions,
    sum(pg.receiving_yards)::integer AS receiving_yards,
    sum(pg.receiving_tds)::integer AS receiving_tds,
    sum(pg.fumbles_lost)::integer AS fumbles_lost
FROM player_games AS pg
INNER JOIN games AS g USING (game_id)
INNER JOIN teams AS t ON t.code = pg.team
LEFT JOIN players AS p USING (player_id)
GROUP BY pg.season, pg.player_id, p.name, p.position, p.birth_date;
CREATE UNIQUE INDEX player_season_stats_key ON player_season_stats (season, player_id);
