#include "textflag.h"

// func hasAVX2() bool
TEXT ·hasAVX2(SB), NOSPLIT, $0-1
	MOVB $0, ret+0(FP)
	XORL AX, AX
	CPUID
	CMPL AX, $7
	JLT  no
	MOVL $1, AX
	XORL CX, CX
	CPUID
	ANDL $0x18000000, CX // OSXSAVE and AVX
	CMPL CX, $0x18000000
	JNE  no
	XORL CX, CX
	XGETBV
	ANDL $6, AX          // the system saves the registers
	CMPL AX, $6
	JNE  no
	MOVL $7, AX
	XORL CX, CX
	CPUID
	SHRL $5, BX
	ANDL $1, BX
	MOVB BX, ret+0(FP)
no:
	RET

// func distanceAVX2(s []float64, x float64) float64
TEXT ·distanceAVX2(SB), NOSPLIT, $0-40
	MOVQ         s_base+0(FP), SI
	MOVQ         s_len+8(FP), CX
	VBROADCASTSD x+24(FP), Y8
	VPCMPEQQ     Y9, Y9, Y9
	VPSRLQ       $1, Y9, Y9      // all bits but the sign
	VXORPD       Y0, Y0, Y0
	VXORPD       Y1, Y1, Y1
	VXORPD       Y2, Y2, Y2
	VXORPD       Y3, Y3, Y3
	SUBQ         $16, CX
	JLT          fours

loop:
	VMOVUPD (SI), Y4
	VMOVUPD 32(SI), Y5
	VMOVUPD 64(SI), Y6
	VMOVUPD 96(SI), Y7
	VSUBPD  Y8, Y4, Y4
	VSUBPD  Y8, Y5, Y5
	VSUBPD  Y8, Y6, Y6
	VSUBPD  Y8, Y7, Y7
	VANDPD  Y9, Y4, Y4
	VANDPD  Y9, Y5, Y5
	VANDPD  Y9, Y6, Y6
	VANDPD  Y9, Y7, Y7
	VADDPD  Y4, Y0, Y0
	VADDPD  Y5, Y1, Y1
	VADDPD  Y6, Y2, Y2
	VADDPD  Y7, Y3, Y3
	ADDQ    $128, SI
	SUBQ    $16, CX
	JGE     loop

fours:
	ADDQ $16, CX
	JEQ  total

four:
	VMOVUPD (SI), Y4
	VSUBPD  Y8, Y4, Y4
	VANDPD  Y9, Y4, Y4
	VADDPD  Y4, Y0, Y0
	ADDQ    $32, SI
	SUBQ    $4, CX
	JNE     four

total:
	VADDPD       Y1, Y0, Y0
	VADDPD       Y3, Y2, Y2
	VADDPD       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPD       X1, X0, X0      // first and third, second and fourth
	VUNPCKHPD    X0, X0, X1
	VADDSD       X1, X0, X0
	VZEROUPPER
	MOVSD        X0, ret+32(FP)
	RET

// func finiteAVX2(s []float64) bool
TEXT ·finiteAVX2(SB), NOSPLIT, $0-25
	MOVQ     s_base+0(FP), SI
	MOVQ     s_len+8(FP), CX
	VPCMPEQQ Y8, Y8, Y8
	VPSRLQ   $53, Y8, Y8
	VPSLLQ   $52, Y8, Y8         // the bits of the exponent
	VPXOR    Y0, Y0, Y0

sixteen:
	VPAND    (SI), Y8, Y1
	VPAND    32(SI), Y8, Y2
	VPAND    64(SI), Y8, Y3
	VPAND    96(SI), Y8, Y4
	VPCMPEQQ Y8, Y1, Y1          // all of them set: infinity or no number
	VPCMPEQQ Y8, Y2, Y2
	VPCMPEQQ Y8, Y3, Y3
	VPCMPEQQ Y8, Y4, Y4
	VPOR     Y2, Y1, Y1
	VPOR     Y4, Y3, Y3
	VPOR     Y1, Y0, Y0
	VPOR     Y3, Y0, Y0
	ADDQ     $128, SI
	SUBQ     $16, CX
	JGT      sixteen
	VPTEST   Y0, Y0
	SETEQ    AX
	VZEROUPPER
	MOVB     AX, ret+24(FP)
	RET
