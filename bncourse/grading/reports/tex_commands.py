"""The commands and environments of a formula that draw something, and nothing else.

MathJax has others: they set styles, classes and ids, follow addresses, load parts of it, define new commands. None of
them is here, and a test names them.
"""

_LETTERS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi omicron pi varpi
rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi
Omega digamma aleph beth gimel daleth ell hbar hslash imath jmath wp Re Im partial nabla infty emptyset varnothing
forall exists nexists neg lnot top bot angle measuredangle triangle square Box Diamond surd checkmark prime backprime
complement eth mho flat natural sharp clubsuit diamondsuit heartsuit spadesuit bigstar dagger ddagger
"""
_OPERATORS = """
pm mp times div ast star circ bullet cdot cdotp cap cup uplus sqcap sqcup vee lor wedge land setminus smallsetminus wr
oplus ominus otimes oslash odot bigcirc amalg ltimes rtimes sum prod coprod int iint iiint oint bigcap bigcup bigsqcup
bigvee bigwedge bigodot bigotimes bigoplus biguplus le leq leqq leqslant ge geq geqq geqslant ne neq equiv sim simeq
approx approxeq cong propto varpropto prec preceq succ succeq subset subseteq supset supseteq nsubseteq subsetneq
sqsubseteq sqsupseteq in ni notin owns mid nmid parallel nparallel perp models vdash dashv Vdash vDash asymp bowtie ll
gg lll ggg lt gt doteq triangleq lesssim gtrsim lessgtr because therefore colon ldotp dots ldots cdots vdots ddots dotsb
dotsc dotsi dotsm dotso not
"""
_ARROWS = """
to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow longleftarrow longrightarrow
longleftrightarrow Longleftarrow Longrightarrow Longleftrightarrow implies impliedby iff mapsto longmapsto hookleftarrow
hookrightarrow uparrow downarrow updownarrow Uparrow Downarrow Updownarrow nearrow searrow swarrow nwarrow leadsto
rightharpoonup rightharpoondown leftharpoonup leftharpoondown rightleftharpoons leftrightharpoons rightsquigarrow
twoheadrightarrow nrightarrow nRightarrow xrightarrow xleftarrow
"""
_FUNCTIONS = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max min Pr
sec sin sinh sup tan tanh mod bmod pmod pod operatorname limits nolimits displaylimits
"""
_SHAPES = """
frac dfrac tfrac cfrac binom dbinom tbinom sqrt root of over choose atop stackrel overset underset overbrace underbrace
overline underline overrightarrow overleftarrow hat widehat bar tilde widetilde vec dot ddot dddot acute grave breve
check mathring boxed cancel bcancel xcancel phantom hphantom vphantom smash substack sideset tag notag nonumber begin
end hline hfill middle left right big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm Biggm
langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert lbrace rbrace lbrack rbrack lgroup rgroup
ulcorner urcorner llcorner lrcorner backslash cr
"""
_LETTERING = """
mathbb mathbf mathcal mathfrak mathit mathrm mathscr mathsf mathtt mathnormal boldsymbol bm pmb bf it rm sf tt cal text
textbf textit textrm textsf texttt textnormal mbox hbox mathop mathbin mathrel mathord mathopen mathclose mathpunct
mathinner displaystyle textstyle scriptstyle scriptscriptstyle
"""
_SPACES = "quad qquad enspace thinspace medspace thickspace negthinspace negmedspace negthickspace space nobreakspace"

_ENVIRONMENTS = """
align align* aligned alignat alignat* alignedat array bmatrix Bmatrix cases eqnarray eqnarray* equation equation*
gather gather* gathered matrix multline multline* pmatrix rcases smallmatrix split vmatrix Vmatrix
"""

COMMANDS = frozenset(f"{_LETTERS} {_OPERATORS} {_ARROWS} {_FUNCTIONS} {_SHAPES} {_LETTERING} {_SPACES}".split())
"""Names of commands, without the backslash; a single letter is none that could do anything."""

ENVIRONMENTS = frozenset(_ENVIRONMENTS.split())
"""What may stand between the braces of begin and end."""
