-- References, figures, tables and numbered equations, in the form of each output format.
--
-- Metadata: `almanac-index`, a JSON file {label: {text, href}}; `almanac-format`, which takes the
-- place of FORMAT when markdown for another engine is written. Files of floats are named below the
-- book's folder, without suffix; an HTML page takes a table's content from `almanac-folder`.
local index, format, folder = {}, FORMAT, "."
local CROSS = { fig = true, tbl = true, sec = true, eq = true }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function target()
  for _, name in ipairs({ "html", "latex", "typst" }) do
    if format:match("^" .. name) then
      return name
    end
  end
  error("almanac.lua: no form for " .. format)
end

local function raw(text)
  return pandoc.RawInline(target(), text)
end

local function configured(meta)
  local function text(key)
    return meta[key] and pandoc.utils.stringify(meta[key])
  end
  index = pandoc.json.decode(read(text("almanac-index")))
  format = text("almanac-format") or FORMAT
  folder = text("almanac-folder") or "."
  meta["almanac-index"], meta["almanac-format"], meta["almanac-folder"] = nil, nil, nil
  return meta
end

-- A label as text that leads to it, where the reader's copy holds it.
local function reference(label)
  local found = index[label]
  if not found then
    error("@" .. label .. ": no such label")
  end
  local text = pandoc.Inlines({ pandoc.Str(found.text) })
  if target() == "html" then
    return found.href ~= "" and pandoc.Inlines({ pandoc.Link(text, found.href) }) or text
  elseif target() == "latex" then
    return pandoc.Inlines({ raw("\\xref{" .. label .. "}{"), text[1], raw("}") })
  end
  return pandoc.Inlines({ raw("#xref(<" .. label .. ">)["), text[1], raw("]") })
end

local function cross_references(cite)
  local parts, others = pandoc.Inlines({}), 0
  for _, citation in ipairs(cite.citations) do
    if CROSS[citation.id:match("^(%a+)%-") or ""] then
      if #parts > 0 then
        parts:extend({ pandoc.Str(","), pandoc.Space() })
      end
      parts:extend(citation.prefix)
      if #citation.prefix > 0 then
        parts:insert(pandoc.Space())
      end
      parts:extend(reference(citation.id))
      parts:extend(citation.suffix)
    else
      others = others + 1
    end
  end
  if #parts == 0 then
    return nil
  elseif others > 0 then
    error("a reference and a citation in one pair of brackets: " .. pandoc.utils.stringify(cite))
  end
  return parts
end

local function attribute(text)
  return (text:gsub("&", "&amp;"):gsub('"', "&quot;"))
end

local FLOATS = {}

function FLOATS.html(label, kind, files, columns, captions)
  local text = index[label] and index[label].text or ""
  local out = pandoc.Inlines({ raw('<figure id="' .. label .. '" class="' .. kind .. '">') })
  if kind == "table" then
    out:insert(raw('<div class="wide">' .. read(folder .. "/" .. files[1] .. ".html") .. "</div>"))
  else
    out:insert(raw('<div class="grid" style="--columns: ' .. columns .. '">'))
    for number, file in ipairs(files) do
      local alt = attribute(pandoc.utils.stringify(captions[#files > 1 and number + 1 or 1]))
      out:insert(raw('<div><img src="' .. file .. '.svg" alt="' .. alt .. '">'))
      if #files > 1 then
        out:insert(raw("<p>(" .. string.char(96 + number) .. ") "))
        out:extend(captions[number + 1])
        out:insert(raw("</p>"))
      end
      out:insert(raw("</div>"))
    end
    out:insert(raw("</div>"))
  end
  out:insert(raw("<figcaption>" .. text .. ": "))
  out:extend(captions[1])
  out:insert(raw("</figcaption></figure>"))
  return out
end

function FLOATS.latex(label, kind, files, columns, captions)
  local out = pandoc.Inlines({})
  if kind == "table" then
    out:extend({ raw("\\begin{table}[htbp]\n\\centering\n\\caption{") })
    out:extend(captions[1])
    out:insert(raw("}\\label{" .. label .. "}\n\\booktable{" .. files[1] .. ".tex}\n\\end{table}"))
    return out
  end
  out:insert(raw("\\begin{figure}[htbp]\n\\centering\n"))
  for number, file in ipairs(files) do
    if #files == 1 then
      out:insert(raw("\\includegraphics{" .. file .. ".pdf}\n"))
    else
      local width = string.format("%.3f", 0.97 / columns)
      out:insert(raw("\\begin{subfigure}{" .. width .. "\\linewidth}\n\\centering\n"))
      out:insert(raw("\\includegraphics{" .. file .. ".pdf}\n\\caption{"))
      out:extend(captions[number + 1])
      local ends = number % columns == 0 and "\\par\n" or "\\hfill\n"
      out:insert(raw("}\n\\end{subfigure}" .. ends))
    end
  end
  out:insert(raw("\\caption{"))
  out:extend(captions[1])
  out:insert(raw("}\\label{" .. label .. "}\n\\end{figure}"))
  return out
end

function FLOATS.typst(label, kind, files, columns, captions)
  local out = pandoc.Inlines({ raw("#figure(\n") })
  if kind == "table" then
    out:insert(raw('  include "/' .. files[1] .. '.typ",\n  kind: table,\n'))
  elseif #files == 1 then
    out:insert(raw('  image("/' .. files[1] .. '.svg"),\n  kind: image,\n'))
  else
    out:insert(raw("  subfigures(columns: " .. columns .. ",\n"))
    for number, file in ipairs(files) do
      out:insert(raw('    (image("/' .. file .. '.svg"), ['))
      out:extend(captions[number + 1])
      out:insert(raw("]),\n"))
    end
    out:insert(raw("  ),\n  kind: image,\n"))
  end
  out:insert(raw("  caption: ["))
  out:extend(captions[1])
  out:insert(raw("],\n) <" .. label .. ">"))
  return out
end

local function float(div)
  if not div.classes:includes("float") then
    return nil
  end
  local files, captions = {}, {}
  for file in div.attributes.files:gmatch("%S+") do
    files[#files + 1] = file
  end
  for _, block in ipairs(div.content) do
    captions[#captions + 1] = pandoc.utils.blocks_to_inlines(block.content)
  end
  local columns = math.tointeger(tonumber(div.attributes.columns))
  local made = FLOATS[target()](div.identifier, div.attributes.kind, files, columns, captions)
  return pandoc.Plain(made)
end

-- $$ ... $$ {#eq-label}: a paragraph of its own, or the end of one.
local function equation(para)
  local content = para.content
  local label = content[#content] and content[#content].t == "Str"
    and content[#content].text:match("^{#(eq%-[%w-]+)}$")
  local place = label and (content[#content - 1].t == "Math" and #content - 1 or #content - 2)
  if not place or content[place].t ~= "Math" then
    return nil
  end
  local before, math = pandoc.Inlines({}), content[place]
  for number = 1, place - 1 do
    before:insert(content[number])
  end
  if target() == "latex" then
    -- A blank line inside a formula is an error to TeX.
    local body = math.text:gsub("^%s+", ""):gsub("%s+$", "")
    before:insert(raw("\\begin{equation}\\label{" .. label .. "}\n" .. body .. "\n\\end{equation}"))
  elseif target() == "typst" then
    before:extend({ raw("#numbered["), math, raw(" <" .. label .. ">]") })
  else
    local number = index[label].text:match("%b()$") or ""
    local body = pandoc.Span({ math, pandoc.Str(number) }, { label, { "equation" } })
    before:insert(body)
  end
  return pandoc.Para(before)
end

return {
  { Meta = configured },
  { Cite = cross_references },
  { Div = float, Para = equation },
}
