#include "textflag.h"

DATA ten<>+0(SB)/8, $10.0
GLOBL ten<>(SB), RODATA, $8
DATA hundred<>+0(SB)/8, $100.0
GLOBL hundred<>(SB), RODATA, $8
DATA tenth<>+0(SB)/8, $0.1
GLOBL tenth<>(SB), RODATA, $8

// RANGES are those of four bars at an offset, of each lane, and TURN makes the
// lanes of the first, the second, … bars of them, or what it made them of again.
#define RANGES(off) \
	VMOVUPD off(SI), Y0           \
	VMOVUPD off(SI)(AX*1), Y1     \
	VMOVUPD off(SI)(AX*2), Y2     \
	VMOVUPD off(SI)(BX*1), Y3     \
	VSUBPD  off(DX), Y0, Y0       \
	VSUBPD  off(DX)(AX*1), Y1, Y1 \
	VSUBPD  off(DX)(AX*2), Y2, Y2 \
	VSUBPD  off(DX)(BX*1), Y3, Y3

#define TURN \
	VUNPCKLPD   Y1, Y0, Y4        \
	VUNPCKHPD   Y1, Y0, Y5        \
	VUNPCKLPD   Y3, Y2, Y6        \
	VUNPCKHPD   Y3, Y2, Y7        \
	VINSERTF128 $1, X6, Y4, Y0    \
	VINSERTF128 $1, X7, Y5, Y1    \
	VPERM2F128  $0x31, Y6, Y4, Y2 \
	VPERM2F128  $0x31, Y7, Y5, Y3

// AVERAGES adds the tails at an offset to the heads and divides.
#define AVERAGES(off) \
	VADDPD  off(CX), Y9, Y0     \
	VADDPD  off+32(CX), Y10, Y1 \
	VADDPD  off+64(CX), Y11, Y2 \
	VADDPD  off+96(CX), Y12, Y3 \
	VDIVPD  Y15, Y0, Y0         \
	VDIVPD  Y15, Y1, Y1         \
	VDIVPD  Y15, Y2, Y2         \
	VDIVPD  Y15, Y3, Y3

#define WRITE(off) \
	VMOVUPD Y0, off(DI)       \
	VMOVUPD Y1, off(DI)(AX*1) \
	VMOVUPD Y2, off(DI)(AX*2) \
	VMOVUPD Y3, off(DI)(BX*1)

// TOTAL is the sum of the lanes.
#define TOTAL \
	VEXTRACTF128 $1, Y11, X0   \
	VADDPD       X0, X11, X11  \
	VUNPCKHPD    X11, X11, X0  \
	VADDSD       X0, X11, X11  \
	VZEROUPPER

// func spanLanesAVX2(out, high, low []float64, blocks int, lanes *[19][4]float64, open, close []float64)
TEXT ·spanLanesAVX2(SB), NOSPLIT, $0-136
	MOVQ         out_base+0(FP), DI
	MOVQ         high_base+24(FP), SI
	MOVQ         low_base+48(FP), DX
	MOVQ         blocks+72(FP), R8
	MOVQ         lanes+80(FP), CX    // nine tails, then the ten ranges
	MOVQ         open_base+88(FP), R9
	MOVQ         close_base+112(FP), R10
	IMUL3Q       $80, R8, AX         // bytes of a lane
	LEAQ         (AX)(AX*2), BX
	VBROADCASTSD ten<>(SB), Y15
	VXORPD       Y14, Y14, Y14

block:
	RANGES(0)
	TURN
	VMOVUPD Y1, 320(CX)
	VMOVUPD Y2, 352(CX)
	VMOVUPD Y3, 384(CX)
	VMOVAPD Y0, Y9
	VADDPD  Y1, Y9, Y10
	VADDPD  Y2, Y10, Y11
	VADDPD  Y3, Y11, Y12
	VMOVAPD Y12, Y8
	PREFETCHT1 0(R9)
	PREFETCHT1 0(R10)
	PREFETCHT1 64(R9)
	PREFETCHT1 64(R10)
	AVERAGES(0)
	TURN
	WRITE(0)

	RANGES(32)
	TURN
	VMOVUPD Y0, 416(CX)
	VMOVUPD Y1, 448(CX)
	VMOVUPD Y2, 480(CX)
	VMOVUPD Y3, 512(CX)
	VADDPD  Y0, Y8, Y9
	VADDPD  Y1, Y9, Y10
	VADDPD  Y2, Y10, Y11
	VADDPD  Y3, Y11, Y12
	VMOVAPD Y12, Y8
	PREFETCHT1 128(R9)
	PREFETCHT1 128(R10)
	PREFETCHT1 192(R9)
	PREFETCHT1 192(R10)
	PREFETCHT1 256(R9)
	PREFETCHT1 256(R10)
	AVERAGES(128)
	TURN
	WRITE(32)

	VMOVUPD      64(SI), X0
	VMOVUPD      64(SI)(AX*1), X1
	VMOVUPD      64(DX), X2
	VMOVUPD      64(DX)(AX*1), X3
	VINSERTF128  $1, 64(SI)(AX*2), Y0, Y0
	VINSERTF128  $1, 64(SI)(BX*1), Y1, Y1
	VINSERTF128  $1, 64(DX)(AX*2), Y2, Y2
	VINSERTF128  $1, 64(DX)(BX*1), Y3, Y3
	VSUBPD       Y2, Y0, Y0
	VSUBPD       Y3, Y1, Y1
	VUNPCKLPD    Y1, Y0, Y12             // the ninth
	VUNPCKHPD    Y1, Y0, Y13             // the tenth
	VADDPD       Y12, Y8, Y0
	VADDPD       Y13, Y0, Y1
	VADDPD       256(CX), Y0, Y0
	VADDPD       Y14, Y1, Y1
	VDIVPD       Y15, Y0, Y0
	VDIVPD       Y15, Y1, Y1
	VUNPCKLPD    Y1, Y0, Y2
	VUNPCKHPD    Y1, Y0, Y3
	VMOVUPD      X2, 64(DI)
	VMOVUPD      X3, 64(DI)(AX*1)
	VEXTRACTF128 $1, Y2, 64(DI)(AX*2)
	VEXTRACTF128 $1, Y3, 64(DI)(BX*1)

	VADDPD  Y14, Y13, Y0
	VMOVUPD Y0, 256(CX)
	VADDPD  Y12, Y0, Y0
	VMOVUPD Y0, 224(CX)
	VADDPD  512(CX), Y0, Y0
	VMOVUPD Y0, 192(CX)
	VADDPD  480(CX), Y0, Y0
	VMOVUPD Y0, 160(CX)
	VADDPD  448(CX), Y0, Y0
	VMOVUPD Y0, 128(CX)
	VADDPD  416(CX), Y0, Y0
	VMOVUPD Y0, 96(CX)
	VADDPD  384(CX), Y0, Y0
	VMOVUPD Y0, 64(CX)
	VADDPD  352(CX), Y0, Y0
	VMOVUPD Y0, 32(CX)
	VADDPD  320(CX), Y0, Y0
	VMOVUPD Y0, (CX)

	ADDQ $320, R9
	ADDQ $320, R10
	ADDQ $80, SI
	ADDQ $80, DX
	ADDQ $80, DI
	DECQ R8
	JNE  block
	VZEROUPPER
	RET

// func smallAVX2(out, open, close, span []float64) float64
TEXT ·smallAVX2(SB), NOSPLIT, $0-104
	MOVQ         out_base+0(FP), DI
	MOVQ         out_len+8(FP), CX
	MOVQ         open_base+24(FP), SI
	MOVQ         close_base+48(FP), DX
	MOVQ         span_base+72(FP), BX
	VBROADCASTSD hundred<>(SB), Y15
	VBROADCASTSD tenth<>(SB), Y14
	VPXOR        Y13, Y13, Y13
	VPCMPEQQ     Y12, Y12, Y12
	VPSRLQ       $1, Y12, Y12            // all bits but the sign
	VXORPD       Y11, Y11, Y11
	XORL         AX, AX

bars:
	VMOVUPD  (DX)(AX*8), Y0
	VMULPD   (BX)(AX*8), Y14, Y1
	VSUBPD   (SI)(AX*8), Y0, Y0
	VANDPD   Y12, Y0, Y0
	VSUBPD   Y0, Y1, Y0
	VADDPD   Y0, Y11, Y11
	VPCMPGTQ Y0, Y13, Y0
	VANDNPD  Y15, Y0, Y0
	VMOVUPD  Y0, (DI)(AX*8)
	ADDQ     $4, AX
	CMPQ     AX, CX
	JLT      bars
	TOTAL
	MOVSD    X11, ret+96(FP)
	RET

// func shadowedAVX2(out, open, high, low, close, span []float64, either uint64)
TEXT ·shadowedAVX2(SB), NOSPLIT, $0-152
	MOVQ         out_base+0(FP), DI
	MOVQ         out_len+8(FP), CX
	MOVQ         open_base+24(FP), SI
	MOVQ         high_base+48(FP), R8
	MOVQ         low_base+72(FP), R9
	MOVQ         close_base+96(FP), DX
	MOVQ         span_base+120(FP), BX
	VPBROADCASTQ either+144(FP), Y11
	VBROADCASTSD hundred<>(SB), Y15
	VBROADCASTSD tenth<>(SB), Y14
	VPXOR        Y13, Y13, Y13
	VPCMPEQQ     Y12, Y12, Y12
	VPSRLQ       $1, Y12, Y12
	XORL         AX, AX

bars:
	VMOVUPD  (SI)(AX*8), Y0  // open
	VMOVUPD  (DX)(AX*8), Y1  // close
	VMOVUPD  (R8)(AX*8), Y2  // high
	VMOVUPD  (R9)(AX*8), Y3  // low
	VSUBPD   Y0, Y1, Y4
	VANDPD   Y12, Y4, Y4     // body
	VSUBPD   Y3, Y0, Y5
	VSUBPD   Y3, Y1, Y6
	VSUBPD   Y0, Y2, Y7
	VSUBPD   Y1, Y2, Y8
	VSUBPD   Y5, Y4, Y5
	VSUBPD   Y6, Y4, Y6
	VSUBPD   Y7, Y4, Y7
	VSUBPD   Y8, Y4, Y8
	VANDPD   Y6, Y5, Y5      // lower
	VANDPD   Y8, Y7, Y7      // upper
	VANDPD   Y7, Y5, Y6
	VORPD    Y7, Y5, Y5
	VORPD    Y11, Y6, Y6
	VANDPD   Y6, Y5, Y5
	VMULPD   (BX)(AX*8), Y14, Y0
	VSUBPD   Y4, Y0, Y0
	VANDNPD  Y5, Y0, Y0
	VPCMPGTQ Y0, Y13, Y0
	VANDPD   Y15, Y0, Y0
	VMOVUPD  Y0, (DI)(AX*8)
	ADDQ     $4, AX
	CMPQ     AX, CX
	JLT      bars
	VZEROUPPER
	RET

// func apartAVX2(rows []uint64, out, open1, close1, open2, close2, high, low []float64) float64
TEXT ·apartAVX2(SB), NOSPLIT, $0-200
	MOVQ   rows_base+0(FP), BX
	MOVQ   rows_len+8(FP), CX
	MOVQ   out_base+24(FP), DI
	MOVQ   open1_base+48(FP), SI
	MOVQ   close1_base+72(FP), DX
	MOVQ   open2_base+96(FP), R8
	MOVQ   close2_base+120(FP), R9
	MOVQ   high_base+144(FP), R13
	MOVQ   low_base+168(FP), AX
	VXORPD Y11, Y11, Y11
	VXORPD Y12, Y12, Y12
	VXORPD Y13, Y13, Y13
	VXORPD Y15, Y15, Y15

row:
	XORL R10, R10
	MOVL $16, R11

bars:
	VMOVUPD   (SI), Y0
	VMOVUPD   (DX), Y1
	VMOVUPD   (R8), Y2
	VMOVUPD   (R9), Y3
	VMOVUPD   (R13), Y10
	VSUBPD    (AX), Y10, Y10
	VMOVUPD   Y15, (DI)
	VSUBPD    Y3, Y0, Y4
	VSUBPD    Y3, Y1, Y5
	VSUBPD    Y2, Y0, Y6
	VSUBPD    Y2, Y1, Y7
	VADDPD    Y10, Y11, Y11
	VADDPD    Y4, Y12, Y12
	VADDPD    Y7, Y13, Y13
	VPCMPEQQ  Y3, Y0, Y8
	VANDPD    Y5, Y4, Y9
	VORPD     Y5, Y4, Y4
	VANDPD    Y7, Y6, Y5
	VORPD     Y7, Y6, Y6
	VANDPD    Y5, Y9, Y9    // all below
	VORPD     Y6, Y4, Y4    // one below
	VORPD     Y8, Y4, Y4
	VANDNPD   Y4, Y9, Y9    // neither gap
	VMOVMSKPD Y9, R12
	SHLQ      $60, R12
	SHRQ      $4, R10
	ORQ       R12, R10
	ADDQ      $32, SI
	ADDQ      $32, DX
	ADDQ      $32, R8
	ADDQ      $32, R9
	ADDQ      $32, R13
	ADDQ      $32, AX
	ADDQ      $32, DI
	DECL      R11
	JNE       bars
	NOTQ      R10
	MOVQ      R10, (BX)
	ADDQ      $8, BX
	DECQ      CX
	JNE       row
	VADDPD    Y12, Y11, Y11
	VADDPD    Y13, Y11, Y11
	TOTAL
	MOVSD     X11, ret+192(FP)
	RET
