-- Games against their closing lines, and venues as they were known before each game.
CREATE MATERIALIZED VIEW betting_features AS
WITH lined AS (
    SELECT
        g.season,
        g.game_id,
        g.date,
        h.franchise AS home_team,
        a.franchise AS away_team,
        o.spread_line,
        o.total_line,
        g.home_score - g.away_score AS home_margin,
        g.home_score + g.away_score AS total,
        CASE
            WHEN o.home_moneyline < 0 THEN -o.home_moneyline / (100 - o.home_moneyline)
            ELSE 100 / (100 + o.home_moneyline)
        END AS home_implied,
        CASE
            WHEN o.away_moneyline < 0 THEN -o.away_moneyline / (100 - o.away_moneyline)
            ELSE 100 / (100 + o.away_moneyline)
        END AS away_implied
    FROM games AS g
    INNER JOIN teams AS h ON h.code = g.home_team
    INNER JOIN teams AS a ON a.code = g.away_team
    LEFT JOIN odds AS o USING (game_id)
),

judged AS (
    SELECT
        *,
        home_margin - spread_line AS cover_margin,
        total - total_line AS total_margin,
        CASE WHEN home_margin <> spread_line
            THEN (home_margin > spread_line)::integer
        END AS home_cover,
        CASE WHEN total <> total_line THEN (total > total_line)::integer END AS over_hit
    FROM lined
),

by_team AS (
    SELECT
        *,
        count(*) FILTER (WHERE known) OVER (
            PARTITION BY team ORDER BY date
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP
        ) AS k
    FROM (
        SELECT game_id, date, home_team AS team, home_cover AS cover, over_hit AS went_over,
            home_margin IS NOT NULL AS known
        FROM judged
        UNION ALL
        SELECT game_id, date, away_team, 1 - home_cover, over_hit, home_margin IS NOT NULL
        FROM judged
    ) AS both_sides
),

recent AS (
    SELECT
        b.game_id,
        b.team,
        avg(e.cover)::double precision AS cover_last10,
        avg(e.went_over)::double precision AS over_last10
    FROM by_team AS b
    LEFT JOIN by_team AS e
        ON e.team = b.team AND e.known AND e.k + 1 <= b.k AND e.k + 1 > b.k - 10
    GROUP BY b.game_id, b.team
)

SELECT
    j.season,
    j.game_id,
    j.date,
    j.home_team,
    j.away_team,
    j.spread_line,
    j.total_line,
    j.home_margin,
    j.total,
    j.cover_margin,
    j.total_margin,
    j.home_cover,
    j.over_hit,
    j.home_implied / (j.home_implied + j.away_implied) AS market_prob,
    home.cover_last10 AS home_cover_last10,
    away.cover_last10 AS away_cover_last10,
    home.over_last10 AS home_over_last10,
    away.over_last10 AS away_over_last10
FROM judged AS j
INNER JOIN recent AS home ON home.game_id = j.game_id AND home.team = j.home_team
INNER JOIN recent AS away ON away.game_id = j.game_id AND away.team = j.away_team;
CREATE UNIQUE INDEX betting_features_key ON betting_features (game_id);

CREATE MATERIALIZED VIEW venue_weather_features AS
WITH placed AS (
    SELECT
        g.season,
        g.game_id,
        g.date,
        CASE
            WHEN g.stadium IS NOT NULL THEN g.stadium
            WHEN NOT g.neutral THEN t.franchise
        END AS venue,
        g.home_score + g.away_score AS total,
        w.temp_c,
        w.wind_kmh,
        w.precip_mm
    FROM games AS g
    INNER JOIN teams AS t ON t.code = g.home_team
    LEFT JOIN weather AS w USING (game_id)
)

SELECT
    p.season,
    p.game_id,
    p.date,
    p.venue,
    p.temp_c,
    p.wind_kmh,
    p.precip_mm,
    count(e.total)::integer AS venue_games,
    avg(e.total)::double precision AS venue_total_mean,
    avg(e.temp_c) AS venue_temp_c_mean,
    avg(e.wind_kmh) AS venue_wind_kmh_mean,
    p.temp_c - avg(e.temp_c) AS temp_c_diff
FROM placed AS p
LEFT JOIN placed AS e ON e.venue = p.venue AND e.date < p.date AND e.total IS NOT NULL
GROUP BY p.season, p.game_id, p.date, p.venue, p.temp_c, p.wind_kmh, p.precip_mm;
CREATE UNIQUE INDEX venue_weather_features_key ON venue_weather_features (game_id);
